"""The search that was asked for after the session had ended, until its person has signed in again;
or that came from a page of theirs from before, whose form is no longer valid.

A license may be in it: it waits in the cookie of the session, sealed, and is in no address.
"""

from urllib.parse import parse_qsl, urlencode

from flask import request, session
from werkzeug.datastructures import MultiDict

from portal.vault import Unreadable, vault

# In the cookie, and what it is sealed for.
KEY = "search"
PLACE = "interrupted search"

# Bytes. A browser keeps no cookie of more than 4,096, and this one is written in Base64, twice.
LONGEST = 1_000


def keep() -> bool:
    """Keep the search that is asked for, if one is, and if there is room for it.

    No other site can make a browser send the header of htmx, so none puts words into the box.
    """
    if request.endpoint != "searches.create" or "HX-Request" not in request.headers:
        return False
    filled = [(name, value) for name, value in request.form.items(multi=True) if value]
    text = urlencode(filled)
    if len(text) <= LONGEST:
        session[KEY] = vault().seal(text, PLACE)
    return len(text) <= LONGEST


def take() -> MultiDict[str, str]:
    """What was kept, which is forgotten with this; nothing where nothing was."""
    try:
        text = vault().open(session.pop(KEY, b""), PLACE)
    except Unreadable:
        return MultiDict()
    return MultiDict(parse_qsl(text))
