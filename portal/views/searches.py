"""/searches: the search box, without what was typed in the address; and what answers a search.

A license may be typed into it, and addresses end up in logs and histories.
"""

from dataclasses import replace

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import DateField, Form, HiddenField, SearchField, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length, Optional, Regexp, ValidationError

from portal import interrupted_searches
from portal.access import current_staff, staff_only, visible_pages
from portal.database.reading import reads_only
from portal.models import OrderStatus
from portal.search import Search
from portal.search.cursor import Cursor
from portal.search.days import Days
from portal.search.first_found import first_found
from portal.search.instead import instead_of
from portal.search.missing import not_found
from portal.search.results import Pages, Results, look_up
from portal.search.typed import LICENSES

bp = Blueprint("searches", __name__, url_prefix="/searches")

DELIVERIES = {"delivered": True, "not delivered": False}


def _day(label: str) -> DateField:
    return DateField(label, validators=[Optional()])


class SearchForm(Form):
    """The search box and the filters. Nothing in it is required."""

    q = SearchField(
        lazy_gettext("Search orders"),
        # An input of one line: what was pasted with several goes into one, as a browser shows it.
        filters=[lambda text: " ".join((text or "").replace("\0", " ").split())],
        validators=[Length(max=12_000, message=lazy_gettext("This is too long."))],
    )
    license = HiddenField(
        validators=[Optional(), Regexp(rf"[0-9a-f]{{32}}( [0-9a-f]{{32}}){{,{LICENSES - 1}}}\Z")],
        default="",
    )
    created_from = _day(lazy_gettext("Created from"))
    created_to = _day(lazy_gettext("Created to"))
    paid_from = _day(lazy_gettext("Paid from"))
    paid_to = _day(lazy_gettext("Paid to"))
    status = SelectMultipleField(
        lazy_gettext("Status"), choices=[SelectChoice(status.value) for status in OrderStatus]
    )
    delivery = SelectMultipleField(
        lazy_gettext("Delivery"), choices=[SelectChoice(word) for word in DELIVERIES]
    )
    page = SelectField(lazy_gettext("Checkout page"), validate_choice=False, default="")

    def validate_created_to(self, field: DateField) -> None:
        _refuse_backwards(self.created_from, field)

    def validate_paid_to(self, field: DateField) -> None:
        _refuse_backwards(self.paid_from, field)

    def search(self, cursor: Cursor | None) -> Search:
        """The question that was asked."""
        deliveries = self.delivery.data or []
        return Search(
            q=self.q.data or "",
            license="" if self.q.data else self.license.data or "",
            created=Days(self.created_from.data, self.created_to.data),
            paid=Days(self.paid_from.data, self.paid_to.data),
            statuses=tuple(OrderStatus(status) for status in self.status.data or []),
            delivered=DELIVERIES[deliveries[0]] if len(deliveries) == 1 else None,
            page=self.page.data or "",
            cursor=cursor,
        )


def _refuse_backwards(first: DateField, last: DateField) -> None:
    if first.data and last.data and first.data > last.data:
        raise ValidationError(_("This day is before the one in “from”."))


@bp.post("")
@reads_only
@staff_only(may="read")
def create() -> Response:
    return answer(request.form, in_address=False)


@bp.get("")
@staff_only(may="read")
def show() -> Response:
    """The way to the answer of a search that was interrupted by signing in."""
    asked = interrupted_searches.take()
    if not asked:
        return redirect(url_for("orders.index"))
    response = answer(asked, in_address=False)
    address = response.headers.pop("HX-Push-Url", None)
    return redirect(address, 303) if address else response


def answer(asked: MultiDict[str, str], *, in_address: bool) -> Response:
    """The page that answers a search, or the way to the only order that fits. What may be a license
    stays in no address: a search that came in one leads to another, and one that did not says which
    one it may have."""
    pages = visible_pages()
    form = _form(asked, pages)
    if not form.validate():
        return _not_understood(form)
    search = form.search(_cursor(asked))
    found = look_up(search, current_staff, pages)
    if found.licenses:
        return _to(search.for_licenses(found.licenses))
    if search.is_too_long and search.numbers:
        form.q.errors = [_("These are too many numbers for one search.")]
        return _not_understood(form)
    missing = not_found(search, found)
    if leads_on := _leads_on(search, found, missing, pages):
        return leads_on
    is_hidden = search.is_too_long or (search.looks_like_license and not found.count)
    if is_hidden and in_address:
        return _to(search.for_licenses())
    shown = {"form": form, "search": search, "found": found, "missing": missing}
    response = make_response(render_template("orders/index.html", **shown))
    if not in_address:
        asks_again = search.for_licenses() if is_hidden else search
        response.headers["HX-Push-Url"] = asks_again.address(url_for("orders.index"))
    return response


def _form(asked: MultiDict[str, str], pages: Pages) -> SearchForm:
    form = SearchForm(asked)
    form.page.choices = [
        SelectChoice("", _("All checkout pages")),
        *(SelectChoice(page.code, page.title) for page in pages),
    ]
    return form


def _leads_on(search: Search, found: Results, missing: str | None, pages: Pages) -> Response | None:
    """The way to the only order that fits, to where the list begins, or to what may be meant
    instead; None where what was found is the answer."""
    if found.only_number and not search.is_empty:
        if missing:
            flash(missing, "note")
        return redirect(url_for("orders.show", number=found.only_number), 303)
    if search.cursor and not found.results:
        return _to(search.at(None))
    instead = [] if found.count else [replace(search, q=meant) for meant in instead_of(search)]
    meant = first_found(instead, current_staff, pages)
    if meant and not meant.numbers:
        flash(_("Nothing fits all that was typed. This fits “%(text)s”.", text=meant.q), "note")
    return _to(meant) if meant else None


def _not_understood(form: SearchForm) -> Response:
    shown = {"form": form, "search": Search(), "found": None}
    return make_response(render_template("orders/index.html", **shown), 422)


def _to(search: Search) -> Response:
    return redirect(search.address(url_for("orders.index")), 303)


def _cursor(asked: MultiDict[str, str]) -> Cursor | None:
    if "before" in asked:
        return Cursor.read(asked["before"], backwards=True)
    return Cursor.read(asked.get("after", ""), backwards=False)
