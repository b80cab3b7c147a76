"""How times, amounts and languages are written for the person who reads the page."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.support import NullTranslations
from flask import Flask, current_app, has_request_context, request
from flask_babel import get_locale, get_timezone, get_translations
from flask_babel import gettext as _
from jinja2 import StrictUndefined, pass_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import urlize
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from portal import clock
from portal.models.order_status import OrderStatus
from portal.tags import LINKS, Filled, fill, unlinked

# The pages are written in English; these differ in how they write dates and numbers.
READER_LOCALES = ("en", "en_GB", "en_IE", "en_AU", "en_CA", "en_IN", "en_NZ", "en_ZA", "en_US")


Reader = tuple[tzinfo, str]


def init_app(app: Flask) -> None:
    app.jinja_env.filters |= {
        "when": when,
        "clock_time": clock_time,
        "statuses": statuses,
        "money": money,
        "number": number,
        "country": country,
        "exact": exact,
        "address": address,
        "paragraphs": paragraphs,
        "unlinked": unlinked,
    }
    sentences: Any = app.jinja_env
    sentences.install_gettext_callables(
        gettext=lambda text: get_translations().ugettext(text),
        ngettext=lambda one, several, count: get_translations().ungettext(one, several, count),
        newstyle=True,
    )
    app.jinja_env.globals["_"] = _sentence
    # Asked once for each page, because a list asks two hundred times.
    app.context_processor(lambda: {"_": _sentences(get_translations()), "reader": _reader()})
    app.jinja_env.globals["page_language"] = lambda: str(get_locale()).replace("_", "-")
    app.jinja_env.undefined = StrictUndefined


def reader_locale() -> str | None:
    """The best of READER_LOCALES for this browser; None leaves it to the settings."""
    if not has_request_context():
        return None
    return _best_locale(request.headers.get("Accept-Language", ""))


@lru_cache(maxsize=200)
def _best_locale(accepted: str) -> str | None:
    wanted = [tag.replace("_", "-") for tag in READER_LOCALES]
    best = parse_accept_header(accepted, LanguageAccept).best_match(wanted)
    return best.replace("-", "_") if best else None


@pass_context
def when(context: Context, moment: datetime | None) -> Markup | str:
    """A <time> element: day and time in the portal's zone, the exact moment for machines."""
    if moment is None:
        return ""
    return _element(moment, *_reader_of(context))


def clock_time(moment: datetime) -> str:
    """The time of day in the portal's zone, for a sentence; with the day where it is not today."""
    zone, locale = _reader()
    local = moment.astimezone(zone)
    time = _time(local.hour, local.minute, locale)
    if local.date() == clock.now().astimezone(zone).date():
        return time
    return f"{_day(local.date(), locale)}, {time}"


@pass_context
def statuses(context: Context, status: OrderStatus, is_delivered: bool) -> Markup:
    """Where an order stands, in coloured words: its status, and whether it is delivered."""
    return _statuses(status.value, bool(is_delivered), _reader_of(context)[1])


@pass_context
def money(context: Context, amount: Decimal, currency: str) -> str:
    """An amount with its currency, as this reader writes it."""
    return _money(amount, currency, _reader_of(context)[1])


def number(count: int) -> str:
    """A whole number, as this reader writes it."""
    return str(numbers.format_decimal(count, locale=_reader()[1]))


def country(code: str | None) -> str:
    """The name of a country by its ISO 3166-1 alpha-2 code."""
    if not code:
        return ""
    locale = get_locale() or Locale("en")
    return str(locale.territories.get(code, code))


def address(email: str) -> Markup:
    """An e-mail address that, where a line is too short for it, is parted before its '@'."""
    return Markup(html.escape(email).replace("@", "<wbr>@"))  # noqa: S704 - escaped just here


def exact(text: str) -> Markup:
    """Text whose every character survives a browser's reading, carriage returns included."""
    return Markup(str(escape(text)).replace("\r", "&#13;"))  # noqa: S704 - escaped just before


def paragraphs(text: Filled) -> Markup:
    """As HTML: a blank line parts paragraphs, and an address becomes a link if the vendor wrote it.
    What else stands in place of tags is put in last, as it is."""
    own = fill(text.text, {tag: text.values[tag] for tag in LINKS})
    parts = re.split(r"\n[ \t]*\n+", own.replace("\r\n", "\n").strip("\n"))
    lines = ["<br>\n".join(urlize(line) for line in part.split("\n")) for part in parts if part]
    written = "\n".join(f"<p>{line}</p>" for line in lines)
    values = {tag: escape(value) for tag, value in text.values.items()}
    return Markup(fill(written, values))  # noqa: S704 - urlize escapes, and so are the values


def _sentence(context: EvalContext, text: str, **values: object) -> str:
    """What `_` is in a template that was imported, and knows of no page."""
    return _sentences(get_translations())(context, text, **values)


def _sentences(catalog: NullTranslations) -> Callable[..., str]:
    """What `_` is in the templates of a page: Jinja's gettext in the language that the page begins
    to be rendered in. It is called as templating.py has it.

    To find that language takes 10 µs, and a page has fifty sentences.
    """

    def gettext(context: EvalContext, text: str, **values: object) -> str:
        sentence = catalog.ugettext(text)
        if context.autoescape:
            sentence = Markup(sentence)  # noqa: S704 - ours or a translator's; `values` are escaped
        return sentence % values if "%" in sentence else sentence

    return gettext


def _reader_of(context: Context) -> Reader:
    """The reader of what is being rendered; what is imported has no context, and asks anew."""
    found: Reader | None = context.parent.get("reader")
    return found or _reader()


def _reader() -> Reader:
    """The zone and the locale of who reads the page, whatever language an e-mail is composed in."""
    if not has_request_context():
        return _zone(), str(get_locale())
    return _zone(), reader_locale() or current_app.config["BABEL_DEFAULT_LOCALE"]


def _zone() -> tzinfo:
    """The portal's. Flask-Babel's is one of pytz, which takes ten times as long."""
    return ZoneInfo(str(get_timezone()))


@lru_cache(maxsize=10_000)
def _element(moment: datetime, zone: tzinfo, locale: str) -> Markup:
    local = moment.astimezone(zone)
    text = f"{_day(local.date(), locale)}, {_time(local.hour, local.minute, locale)}"
    element = f'<time datetime="{moment.isoformat()}">{text}</time>'
    return Markup(element)  # noqa: S704 - its parts are escaped


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
