"""A product is set up from the command line as on its page: checked by its tool, and noted."""

import json

import pytest

from portal.cli.products import products
from portal.extensions import db
from portal.fulfilment.answer import Failure, Trouble
from portal.models import Change, Fulfilment, Pool, Product, Tool
from portal.models.fulfilment import FulfilmentState
from tests.people import bring_in, order_document

URL = "https://vendor.example/licenses"
SECRET = "whsec_" + "a2V5ZGVzayB0ZXN0cyBvbmx5OiBub3QgYSBzZWNyZXQ="


@pytest.fixture
def run(app):
    def command(word, *arguments, typed=None, code="1001"):
        where = () if word == "list" else ("--page", "acme", "--product", code)
        answer = app.test_cli_runner().invoke(products, (word, *where, *arguments), input=typed)
        db.session.expire_all()
        if answer.exception and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer

    return command


@pytest.fixture
def product(acme):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    db.session.commit()
    return product


def changes(product):
    return [(change.field, change.before, change.after) for change in Change.of(product)]


def test_what_is_no_checkout_page_has_no_products(signed_in, ada, acme):
    browser = signed_in(ada)
    token = browser.open("/products/new").parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"csrf_token": token, "page": "acme\0", "code": "1", "name": "One"}
    assert browser.open("/products", method="POST", data=form).status == 422


def test_a_product_is_added_once_and_listed(run, acme):
    assert run("add", "--name", "Sentinel").exit_code == 0
    again = run("add", "--name", "Sentinel")
    assert again.exit_code == 2
    assert again.stderr.splitlines()[-1].startswith("Error: --product: The checkout page has")
    assert run("list", "--page", "acme").stdout == "acme\t1001\tSentinel\tno tool\n"
    assert changes(Product.of(acme.id, "1001")) == [("added", None, "1001")]


def test_a_web_service_gets_a_secret_that_is_printed_once(run, product):
    answer = run("set", "--tool", "web-service", "--url", URL, "--quantity", "per-item")
    secret = answer.stdout.strip()
    assert secret.startswith("whsec_")
    assert product.settings["secret"] == secret
    assert {*changes(product)} == {
        ("tool", None, "web_service"),
        ("license_quantity", "per_unit", "per_item"),
        ("url", None, URL),
        ("secret", None, "•••"),
    }
    assert secret not in run("show").stdout
    assert run("set", "--set", "time_out=20").stdout == "1001: Sentinel Antivirus, web_service.\n"
    assert product.settings["secret"] == secret


def test_a_secret_is_replaced_or_given(run, product):
    first = run("set", "--tool", "web-service", "--url", URL).stdout.strip()
    second = run("set", "--new-secret").stdout.strip()
    assert product.settings["secret"] == second != first
    assert SECRET not in run("set", "--secret-stdin", typed=f"{SECRET}\n").stdout
    assert product.settings["secret"] == SECRET
    assert changes(product)[0] == ("secret", "•••", "another •••")
    bad = run("set", "--secret-stdin", typed="guess me\n")
    assert bad.exit_code == 2
    assert "guess" not in bad.output
    assert product.settings["secret"] == SECRET


def test_settings_are_set_and_taken_back_one_by_one(run, product):
    run("set", "--tool", "web-service", "--url", URL)
    options = ["extra_headers.X-Shop=very secret", "parameter_names.Order=order_id"]
    options += ["parameter_names.Zone=", "extra_parameters.shop=7", "vendor_mails=yes"]
    answer = run("set", *[part for option in options for part in ("--set", option)])
    assert answer.exit_code == 0
    shown = json.loads(run("show").stdout)["settings"]
    assert shown["extra_headers"] == {"X-Shop": "•••"}
    assert shown["parameter_names"] == {"Order": "order_id", "Zone": ""}
    assert shown["vendor_mails"] is True
    assert product.settings["extra_headers"] == {"X-Shop": "very secret"}
    run("set", "--set", "extra_headers.X-Shop=", "--set", "time_out=20")
    assert product.settings["extra_headers"] == {}
    assert changes(product)[:2] == [("time_out", "10", "20"), ("extra_headers.X-Shop", "•••", None)]
    assert "very secret" not in str(changes(product))


def test_what_gives_access_comes_from_a_file_or_standard_input(run, product, tmp_path):
    (tmp_path / "key").write_text("def456\n")
    run("set", "--tool", "web-service", "--url", f"{URL}?token=abc123")
    options = ["extra_headers.Authorization=-", f"extra_parameters.api_key=@{tmp_path / 'key'}"]
    options += ["secret=-"]
    answer = run(
        "set", *[part for option in options for part in ("--set", option)],
        typed=f"Bearer 123\n{SECRET}\n",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stderr
    assert product.settings["extra_headers"] == {"Authorization": "Bearer 123"}
    assert product.settings["extra_parameters"] == {"api_key": "def456"}
    assert product.settings["secret"] == SECRET
    shown = run("show").stdout
    assert json.loads(shown)["settings"]["url"] == f"{URL}?•••"
    assert not any(key in shown for key in ("abc123", "def456", "Bearer 123", SECRET))
    assert not any(key in str(changes(product)) for key in ("abc123", "def456", "Bearer 123"))


def test_another_host_gets_nothing_that_was_meant_for_the_former(run, product):
    first = run("set", "--tool", "web-service", "--url", URL, "--set", "extra_headers.X-Key=1")
    before = product.settings
    moved = run("set", "--url", "https://elsewhere.example")
    assert moved.exit_code == 2
    assert "extra_headers.X-Key: What was saved is for another" in moved.stderr
    assert product.settings == before
    moved = run("set", "--url", "https://elsewhere.example", "--set", "extra_headers.X-Key=2")
    assert moved.stdout.strip() == product.settings["secret"] != first.stdout.strip()
    assert product.settings["extra_headers"] == {"X-Key": "2"}


def test_an_inner_host_is_allowed_alone(run, product):
    allowed = ("--set", "inner_host_allowed=yes")
    run("set", "--tool", "web-service", "--url", "http://one.internal", *allowed)
    moved = run("set", "--url", "http://two.internal")
    assert (moved.exit_code, product.settings["url"]) == (2, "http://one.internal/")
    assert run("set", "--url", "http://two.internal", *allowed).exit_code == 0
    assert product.settings["url"] == "http://two.internal/"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ((), "Say what to set"),
        (("--tool", "magic"), "Invalid value for '--tool'"),
        (("--tool", "web-service"), "url: This has to be filled in."),
        (("--tool", "web-service", "--url", "vendor"), "url: Use a complete address"),
        (("--tool", "web-service", "--url", "http://vendor.example"), "must start with https://"),
        (
            ("--tool", "web-service", "--url", URL, "--set", "time_out=0"),
            "time_out: Use 1 at least",
        ),
        (
            ("--tool", "web-service", "--url", URL, "--set", "colour=red"),
            "colour: There is no such",
        ),
        (("--tool", "web-service", "--url", URL, "--set", "url.x=1"), "url.x: There is no such"),
        (
            ("--tool", "web-service", "--url", URL, "--set", "time_out"),
            "needs a name, = and a value",
        ),
        (("--tool", "web-service", "--url", URL, "--set", "method=PUT"), "method: Use 'POST' or"),
        (("--tool", "pool", "--set", "pool_id=77"), "--pool: There is no such pool."),
        (("--tool", "pool", "--pool", "Nothing"), "there is no pool 'Nothing'"),
        (("--tool", "pool", "--set", "pool=1"), "pool: There is no such setting."),
        (("--new-secret",), "The tool has no secret."),
        (("--secret-stdin", "--new-secret"), "Say either"),
        (
            ("--tool", "web-service", "--url", URL, "--set", f"secret={SECRET}"),
            "everybody on this machine can see the command line; use secret=- or secret=@FILE",
        ),
        (("--set", "time_out=@no-file"), "'no-file': No such file or directory"),
        (("--set", "time_out=20"), "--tool: Choose a tool first."),
        (("--set", "x.y.z=20"), "--tool: Choose a tool first."),
        (("--name", ""), "--name: This has to be filled in."),
        (("--product-url", "javascript:alert(1)"), "--product-url: Use a complete address"),
    ],
)
def test_bad_input_ends_in_one_line_and_changes_nothing(run, product, bad, said):
    answer = run("set", *bad)
    assert answer.exit_code == 2
    last = answer.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert said in last
    assert (product.tool, product.sealed, changes(product)) == (None, None, [])


def test_an_unknown_product_is_said_in_one_line(run, acme):
    answer = run("show", code="7")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "Error: There is no product 7 of acme; see 'add'.\n"


def test_a_product_that_is_set_up_has_what_waited_worked_on(run, app, acme):
    (fulfilment,) = Fulfilment.begin(bring_in(order_document(codes=())))
    fulfilment.stand_down()
    db.session.add(Pool(title="Antivirus"))
    db.session.commit()
    assert run("set", "--tool", "pool", "--pool", "Antivirus").exit_code == 0
    assert (fulfilment.state, fulfilment.due_at is None) == (FulfilmentState.WAITING, False)
    assert app.extensions["jobs"].huey.pending_count() == 1


def test_a_tool_that_is_taken_away_takes_its_secret_along(product):
    secret = product.set_up(by=None, tool=Tool.WEB_SERVICE, settings={"url": URL})
    assert secret
    assert product.set_up(by=None, tool="") is None
    assert (product.tool, product.settings) == (None, {})
    assert product.set_up(by=None, tool=Tool.WEB_SERVICE, settings={"url": URL}) != secret


def test_settings_that_cannot_be_read_can_be_made_anew(product):
    product.tool, product.sealed = Tool.WEB_SERVICE, b"nothing that could be read"
    db.session.commit()
    assert product.set_up(by=None, settings={"url": URL}).startswith("whsec_")
    assert product.settings["url"] == URL


def test_what_failed_is_started_again_once_the_product_has_a_tool(run, acme):
    (fulfilment,) = Fulfilment.begin(bring_in(order_document(codes=())))
    fulfilment.take(Trouble(Failure.SERVICE_REFUSED, is_temporary=False))
    db.session.commit()
    refused = run("start-failed")
    assert (refused.exit_code, "No fulfilment tool is set" in refused.stderr) == (1, True)
    fulfilment.product.tool = Tool.INFORMATION
    db.session.commit()
    assert run("start-failed").stdout == "1001: 1 started again.\n"
    assert fulfilment.is_due
