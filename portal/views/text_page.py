"""The page on which a text of the e-mails is written and seen."""

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.extensions import db
from portal.languages import LANGUAGES, language_name
from portal.letters import default_texts
from portal.tags import OF_PRODUCT, TAGS
from portal.views.text_forms import PageTextForm, ProductTextForm

Answer = str | Response | tuple[str, int]


def written(form: ProductTextForm | PageTextForm) -> Answer:
    """What a form that was sent is answered with: it is saved, or only shown as a mail."""
    if not form.validate():
        return shown(form), 422
    if "preview" in request.form:
        return shown(form)
    if form.is_outdated():
        return shown(form), 409
    form.write()
    db.session.commit()
    flash(_("The text was saved."))
    return redirect(form.address(form.language), 303)


def shown(form: ProductTextForm | PageTextForm) -> str:
    """The page with `form`, and the mail as it will arrive with what the form holds."""
    return render_template(
        "texts/show.html",
        form=form,
        product=form.product,
        page=form.page,
        language=form.language,
        languages=[(code, language_name(code), form.address(code)) for code in LANGUAGES],
        email=None if form.errors else form.email(),
        default=default_texts(form.page, form.language, named=True),
        tags=TAGS,
        tags_of_product=OF_PRODUCT,
    )
