"""How times, amounts and languages are written for the person who reads the page."""

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.support import NullTranslations
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import get_locale, get_timezone, get_translations
from flask_babel import gettext as _
from jinja2 import StrictUndefined
from jinja2.utils import urlize
from markupsafe import Markup, escape

from portal import clock
from portal.tags import LINKS, Filled, fill, unlinked

# The pages are written in English; these differ in how they write dates and numbers.
READER_LOCALES = ("en", "en_GB", "en_IE", "en_AU", "en_CA", "en_IN", "en_NZ", "en_ZA", "en_US")


def init_app(app: Flask) -> None:
    app.jinja_env.filters |= {
        "when": when,
        "clock_time": clock_time,
        "statuses": statuses,
        "money": money,
        "number": number,
        "country": country,
        "exact": exact,
        "paragraphs": paragraphs,
        "unlinked": unlinked,
    }
    sentences: Any = app.jinja_env
    sentences.install_gettext_callables(
        gettext=lambda text: _catalog().ugettext(text),
        ngettext=lambda one, several, count: _catalog().ungettext(one, several, count),
        newstyle=True,
    )
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]
    app.jinja_env.globals["page_language"] = lambda: str(get_locale()).replace("_", "-")
    app.jinja_env.undefined = StrictUndefined


def reader_locale() -> str | None:
    """The best of READER_LOCALES for this browser; None leaves it to the settings."""
    if not has_request_context():
        return None
    wanted = [tag.replace("_", "-") for tag in READER_LOCALES]
    best = request.accept_languages.best_match(wanted)
    return best.replace("-", "_") if best else None


def when(moment: datetime | None) -> Markup | str:
    """A <time> element: day and time in the portal's zone, the exact moment for machines."""
    if moment is None:
        return ""
    zone, locale = _reader()
    local = moment.astimezone(zone)
    text = f"{_day(local.date(), locale)}, {_time(local.hour, local.minute, locale)}"
    element = f'<time datetime="{moment.isoformat()}">{text}</time>'
    return Markup(element)  # noqa: S704 - its parts are escaped


def clock_time(moment: datetime) -> str:
    """The time of day in the portal's zone, for a sentence; with the day where it is not today."""
    zone, locale = _reader()
    local = moment.astimezone(zone)
    time = _time(local.hour, local.minute, locale)
    if local.date() == clock.now().astimezone(zone).date():
        return time
    return f"{_day(local.date(), locale)}, {time}"


def statuses(order: Any) -> Markup:
    """Where an order stands, in coloured words: its `status`, and whether it `is_delivered`."""
    return _statuses(order.status.value, bool(order.is_delivered), _reader()[1])


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, as this reader writes it."""
    return _money(amount, currency, _reader()[1])


def number(count: int) -> str:
    """A whole number, as this reader writes it."""
    return str(numbers.format_decimal(count, locale=_reader()[1]))


def country(code: str | None) -> str:
    """The name of a country by its ISO 3166-1 alpha-2 code."""
    if not code:
        return ""
    locale = get_locale() or Locale("en")
    return str(locale.territories.get(code, code))


def exact(text: str) -> Markup:
    """Text whose every character survives a browser's reading, carriage returns included."""
    return Markup(str(escape(text)).replace("\r", "&#13;"))  # noqa: S704 - escaped just before


def paragraphs(text: Filled) -> Markup:
    """As HTML: a blank line parts paragraphs, and an address becomes a link if the vendor wrote it.
    What else stands in place of tags is put in last, as it is."""
    own = fill(text.text, {tag: text.values[tag] for tag in LINKS})
    parts = re.split(r"\n[ \t]*\n+", own.replace("\r\n", "\n").strip("\n"))
    lines = ["<br>\n".join(urlize(line) for line in part.split("\n")) for part in parts if part]
    html = "\n".join(f"<p>{line}</p>" for line in lines)
    values = {tag: escape(value) for tag, value in text.values.items()}
    return Markup(fill(html, values))  # noqa: S704 - urlize escapes, and so are the values


def _catalog() -> NullTranslations:
    """The sentences of the language that is being written.

    Flask-Babel takes 20 µs to find them, and a page has a hundred: they are looked for when the
    language changes, which an e-mail does within a request.
    """
    locale = get_locale()
    written_in, catalog = g.get("catalog", (None, None))
    if catalog is None or written_in is not locale:
        catalog = get_translations()
        g.catalog = locale, catalog
    found: NullTranslations = catalog
    return found


def _reader() -> tuple[tzinfo, str]:
    """The zone and the locale of who reads the page, whatever language an e-mail is composed in.

    Flask-Babel takes 20 µs to say them, and a list asks 150 times: it is asked once a request.
    """
    if not has_request_context():
        return _zone(), str(get_locale())
    found: tuple[tzinfo, str] | None = g.get("reader")
    if found is None:
        locale = reader_locale() or current_app.config["BABEL_DEFAULT_LOCALE"]
        g.reader = found = _zone(), locale
    return found


def _zone() -> tzinfo:
    """The portal's. Flask-Babel's is one of pytz, which takes ten times as long."""
    return ZoneInfo(str(get_timezone()))


# Babel takes some 40 µs for each; a list has 150 of them, which mostly repeat.
@lru_cache(maxsize=10_000)
def _day(local: date, locale: str) -> Markup:
    return escape(dates.format_date(local, "medium", locale=locale))


@lru_cache(maxsize=10_000)
def _time(hour: int, minute: int, locale: str) -> Markup:
    moment = datetime(2000, 1, 1, hour, minute, tzinfo=UTC)
    return escape(dates.format_time(moment, "short", locale=locale))


@lru_cache(maxsize=10_000)
def _money(amount: Decimal, currency: str, locale: str) -> str:
    return numbers.format_currency(amount, currency, locale=locale)


@lru_cache(maxsize=1_000)
def _statuses(status: str, is_delivered: bool, _locale: str) -> Markup:
    word = _("Delivered") if is_delivered else _("Not delivered")
    delivery = "delivered" if is_delivered else "not-delivered"
    coloured = Markup('<span class="status status-{}">{}</span>\n')
    return coloured.format(status.replace(" ", "-"), status) + coloured.format(delivery, word)
