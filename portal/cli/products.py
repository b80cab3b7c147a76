"""keydesk products: what is sold on the checkout pages, and how its licenses are obtained."""

import json
from typing import Any

import click
from flask.cli import AppGroup

from portal import shared_secret
from portal.cli.assignments import Assignment, assignments_in, changed, line_typed
from portal.cli.pages import page_or_fail
from portal.cli.settings import given, one_line_about
from portal.extensions import db
from portal.fulfilment import setting_up
from portal.models import (
    LicenseQuantity,
    Pool,
    Product,
    Refused,
    Tool,
    tool_settings,
)

products = AppGroup("products", help="See products, and set up how their licenses are obtained.")

OPTIONS = {
    "code": "--product",
    "name": "--name",
    "tool": "--tool",
    "license_quantity": "--quantity",
    "url": "--product-url",
    "settings.url": "--url",
    "settings.pool_id": "--pool",
}
PAGE = click.option("--page", "page_code", required=True, metavar="CODE", help="A checkout page.")
PRODUCT = click.option(
    "--product", "code", required=True, metavar="ID", help="What orders call the product."
)
TOOLS = [tool.value.replace("_", "-") for tool in Tool]
QUANTITIES = [quantity.value.replace("_", "-") for quantity in LicenseQuantity]


def _word(_context: click.Context, _parameter: click.Parameter, choice: str | None) -> str | None:
    return choice.replace("-", "_") if choice else None


@products.command("add")
@PAGE
@PRODUCT
@click.option("--name", required=True, help="What staff call it.")
def add(page_code: str, code: str, name: str) -> None:
    """Add a product before its first order, with which it would appear by itself."""
    with one_line_about(OPTIONS):
        product = Product.add(page_or_fail(page_code), code, name=name, by=None)
    db.session.commit()
    click.echo(f"Added the product {product.code} of {page_code}.")


@products.command("list")
@click.option("--page", "page_code", metavar="CODE", help="Those of one checkout page.")
def show_all(page_code: str | None) -> None:
    """List the products."""
    page = page_or_fail(page_code) if page_code is not None else None
    for product in Product.all(page):
        tool = product.tool or "no tool"
        click.echo(f"{product.checkout_page.code}\t{product.code}\t{product.name}\t{tool}")


@products.command("show")
@PAGE
@PRODUCT
def show(page_code: str, code: str) -> None:
    """Show a product as JSON, without its secrets."""
    product = product_or_fail(page_code, code)
    settings = product.known_settings
    document = {
        "page": product.checkout_page.code,
        "id": product.code,
        "name": product.name,
        "url": product.url,
        "quantity": product.license_quantity,
        "tool": product.tool,
        "settings": tool_settings.visible(product.tool, settings) if product.tool else {},
    }
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@products.command("set")
@PAGE
@PRODUCT
@click.option("--name", help="What staff call it.")
@click.option("--product-url", metavar="URL", help='Where it is to be had; for the tag "{URL}".')
@click.option("--tool", type=click.Choice(TOOLS), callback=_word, help="How it gets licenses.")
@click.option(
    "--quantity",
    "license_quantity",
    type=click.Choice(QUANTITIES),
    callback=_word,
    help="One license for each unit, or one for each item.",
)
@click.option("--url", help="Where the vendor's web service is asked.")
@click.option("--pool", "pool_title", metavar="TITLE", help="Where the licenses are taken from.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    callback=assignments_in,
    metavar="NAME=VALUE",
    help="A setting of the tool, such as time_out=20 or extra_headers.X-Shop=7; "
    "without a value it is taken back. What nobody is to see is read from standard input with "
    "NAME=-, a line each, or from a file with NAME=@FILE. Can be given several times.",
)
@click.option("--secret-stdin", is_flag=True, help="Take the secret from standard input.")
@click.option("--new-secret", is_flag=True, help="Replace the secret, and print the new one.")
def change(
    *,
    page_code: str,
    code: str,
    product_url: str | None,
    url: str | None,
    pool_title: str | None,
    assignments: list[Assignment],
    secret_stdin: bool,
    new_secret: bool,
    **fields: Any,
) -> None:
    """Set up a product. What waited for it is worked on at once.

    A web service gets a secret with which its requests are signed. It is printed this once and
    cannot be found out again: give it to the vendor.
    """
    if secret_stdin and new_secret:
        raise click.UsageError("Say either --secret-stdin or --new-secret.")
    product = product_or_fail(page_code, code)
    wanted = given(url=product_url, **fields)
    tool = wanted.get("tool", product.tool)
    changes: list[Assignment] = [("url", url), ("pool_id", _pool_id(pool_title)), *assignments]
    if secret_stdin or new_secret:
        changes.append(("secret", line_typed() if secret_stdin else _fresh_secret(tool)))
    changes = [(name, value) for name, value in changes if value is not None]
    if not (wanted or changes):
        raise click.UsageError("Say what to set, see 'keydesk products set --help'.")
    if changes:
        kept = product.known_settings if tool == product.tool else {}
        before = tool_settings.to_change(tool, kept) if tool else {}
        wanted["settings"] = changed(before, changes)
    with one_line_about(OPTIONS):
        fresh = setting_up.set_up(product, by=None, **wanted)
    if fresh and not secret_stdin:
        click.echo(fresh)
    else:
        click.echo(f"{code}: {product.name}, {product.tool or 'no tool'}.")


@products.command("start-failed")
@PAGE
@PRODUCT
def start_failed(page_code: str, code: str) -> None:
    """Start again what has failed of a product, for the orders that still allow it."""
    try:
        count = setting_up.start_failed(product_or_fail(page_code, code), by=None)
    except Refused as refused:
        raise click.ClickException(refused.refusal.sentence) from None
    click.echo(f"{code}: {count} started again.")


def product_or_fail(page_code: str, code: str) -> Product:
    """The product of a checkout page, or one line that says there is none."""
    product = Product.of(page_or_fail(page_code).id, code)
    if product is None:
        raise click.ClickException(f"There is no product {code} of {page_code}; see 'add'.")
    return product


def _pool_id(title: str | None) -> int | None:
    if title is None:
        return None
    pool = Pool.by_title(title.strip())
    if pool is None:
        raise click.UsageError(f"--pool: there is no pool {title!r}")
    return pool.id


def _fresh_secret(tool: str | None) -> str:
    if not (tool and tool_settings.has_secret(tool)):
        raise click.UsageError("--new-secret: The tool has no secret.")
    return shared_secret.new_secret()
