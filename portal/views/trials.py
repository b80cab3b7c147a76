"""/products/<id>/trials: the web service of a product is asked once, to see what it answers."""

from flask import Blueprint, render_template
from flask_babel import gettext as _
from pydantic import ValidationError

from portal.access import product_or_404, staff_only
from portal.database.reading import reads_only
from portal.extensions import db
from portal.fulfilment.answer import DoneElsewhere, Licenses, Trouble
from portal.fulfilment.parameters import sample_request
from portal.fulfilment.web_service import Conversation, Settings, try_it
from portal.models import Refusal
from portal.vault import Unreadable
from portal.views.product_forms import ProductForm
from portal.views.products import Answer, shown

bp = Blueprint("trials", __name__, url_prefix="/products/<int:product_id>/trials")


@bp.post("")
@reads_only
@staff_only(may="configure")
def create(product_id: int) -> Answer:
    product = product_or_404(product_id)
    try:
        settings = Settings.model_validate(product.settings)
    except (ValidationError, Unreadable):
        refusal = Refusal(
            "not_set_up",
            _("There is no web service to try."),
            _("Fill in the settings, and save them first."),
        )
        form = ProductForm(product, as_kept=True)
        return shown(product, form, refusal=refusal), 409
    request = sample_request(product)
    db.session.rollback()  # nothing of the database is held while the vendor thinks
    conversation = try_it(settings, request)
    return render_template(
        "trials/create.html",
        product=product,
        conversation=conversation,
        is_good=isinstance(conversation.answer, Licenses | DoneElsewhere),
        verdict=_verdict(conversation),
    ), 200


def _verdict(conversation: Conversation) -> str:
    """What the worker would make of the answer."""
    match conversation.answer:
        case Licenses():
            return _("The answer is good: it has the license.")
        case DoneElsewhere():
            return _("The answer is good: the vendor mails the license.")
        case Trouble(failure=failure, detail=detail):
            return f"{failure.what} {detail or ''}".strip()
        case answer:
            return str(answer.reason.what)
