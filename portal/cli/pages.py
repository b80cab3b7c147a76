"""keydesk pages: the checkout pages that orders come from."""

import click
from flask.cli import AppGroup

from portal.extensions import db
from portal.models import CheckoutPage
from portal.models.checkout_page import CODE

pages = AppGroup("pages", help="Add checkout pages, and change their settings.")


@pages.command("add")
@click.argument("code")
@click.option("--title", required=True, help="What staff and customers call it.")
@click.option("--no-delivery", is_flag=True, help="Forbid the sending of licenses for now.")
def add(code: str, title: str, no_delivery: bool) -> None:
    """Add the checkout page CODE (small letters, digits and hyphens)."""
    if not CODE.fullmatch(code):
        raise click.BadParameter(
            "use small letters, digits and hyphens, 63 at most", param_hint="CODE"
        )
    if not title.strip() or len(title) > 200:
        raise click.BadParameter("use 1 to 200 characters", param_hint="--title")
    if CheckoutPage.by_code(code):
        raise click.ClickException(f"There is a checkout page {code} already.")
    db.session.add(CheckoutPage(code=code, title=title.strip(), delivery_allowed=not no_delivery))
    db.session.commit()
    click.echo(f"Added the checkout page {code}.")


@pages.command("set")
@click.argument("code")
@click.option("--title", help="What staff and customers call it.")
@click.option(
    "--delivery/--no-delivery", default=None, help="Allow or forbid the sending of licenses."
)
def change(code: str, title: str | None, delivery: bool | None) -> None:
    """Change the checkout page CODE."""
    page = page_or_fail(code)
    if title is None and delivery is None:
        raise click.UsageError("Say what to change: --title, --delivery or --no-delivery.")
    if title is not None:
        if not title.strip() or len(title) > 200:
            raise click.BadParameter("use 1 to 200 characters", param_hint="--title")
        page.title = title.strip()
    if delivery is not None:
        page.delivery_allowed = delivery
    db.session.commit()
    delivery_word = "allowed" if page.delivery_allowed else "forbidden"
    click.echo(f"{page.code}: {page.title}, delivery {delivery_word}.")


@pages.command("list")
def show_all() -> None:
    """List the checkout pages."""
    for page in CheckoutPage.all():
        delivery = "allowed" if page.delivery_allowed else "forbidden"
        click.echo(f"{page.code}\t{page.title}\tdelivery {delivery}")


def page_or_fail(code: str) -> CheckoutPage:
    """The checkout page of this code, or one line that says there is none."""
    page = CheckoutPage.by_code(code)
    if page is None:
        raise click.ClickException(f"There is no checkout page {code}.")
    return page
