"""An operator sets up a checkout page and a product, in a real browser."""

from playwright.sync_api import expect

from portal.extensions import db
from portal.models import Product, Tool


def test_from_a_new_checkout_page_to_a_product_with_a_tool(at_desk, ada, app, service):
    page = at_desk(ada)
    page.get_by_role("link", name="Checkout pages").click()
    page.get_by_label("Title").fill("Acme Store")
    page.get_by_label("Code").fill("acme")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/checkout-pages/acme")
    page.get_by_label("Answers go to").fill("help@acme.com")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".flash")).to_have_text("The settings were saved.")
    expect(page.get_by_role("region", name="Changes")).to_contain_text("help@acme.com")

    page.get_by_role("link", name="Products", exact=True).first.click()
    page.get_by_role("link", name="Add one beforehand").click()
    page.get_by_label("Product id").fill("1001")
    page.get_by_label("Name").fill("Sentinel")
    page.get_by_role("button", name="Add").click()
    address = page.get_by_label("Address of the web service")
    expect(address).to_be_hidden()
    page.get_by_label("Web service", exact=True).check()
    address.fill(service.url)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#settings-complaint")).to_contain_text("must start with https://")
    expect(address).to_have_value(service.url)
    page.get_by_label("The address may be in the inner network").check()
    page.get_by_role("button", name="Save").click()

    shown = page.locator("#secret").text_content()
    page.get_by_role("button", name="Copy the secret").click()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".outcome")).to_contain_text("The answer is good")
    db.session.expire_all()
    (product,) = Product.all()
    assert (product.tool, product.settings["secret"]) == (Tool.WEB_SERVICE, shown)


def test_the_forms_do_without_scripts(window, ada, acme):
    email = ada.email
    db.session.commit()
    page = window(java_script_enabled=False)
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/checkout-pages/acme")
    page.get_by_label("Title").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#title-error")).to_have_text("This has to be filled in.")
    page.get_by_label("Title").fill("Acme Shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Acme Shop")).to_be_visible()
