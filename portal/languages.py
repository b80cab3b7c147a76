"""The languages that customers get their e-mails in."""

import re

from babel import Locale
from flask_babel import get_locale

LANGUAGES = ("en", "de", "es", "fr", "pt_BR")


def language_of(locale: str) -> str:
    """The language of `LANGUAGES` for a locale as orders carry it: 'de', 'pt-BR', 'en_EN'."""
    by_language = {name.split("_")[0]: name for name in LANGUAGES}
    language = re.split(r"[^a-z]", locale.strip().casefold())[0]
    return by_language.get(language, "en")


def language_name(locale: str) -> str:
    """What the language of an e-mail is called, in the language of whoever reads the page."""
    return Locale.parse(language_of(locale)).get_display_name(get_locale()) or locale
