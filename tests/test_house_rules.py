"""Promises about all routes, fragments, pages and templates, those of tomorrow included."""

import re
from pathlib import Path

import pytest
from flask_babel import force_locale

from portal.extensions import csrf, db
from portal.fulfilment.answer import Failure, Licenses, Trouble, Waits
from portal.intake.reception import receive
from portal.models import (
    CheckoutPage,
    Delivery,
    DeliveryStatus,
    Fulfilment,
    HistoryEntry,
    Hook,
    Order,
    PageSecret,
    Pool,
    Role,
    Tool,
    What,
)
from tests.people import add_staff, bring_in, item_document, order_document
from tests.pools import upload_of
from tests.support.application import statements
from tests.support.html import parse

TEMPLATES = Path(__file__).parent.parent / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*"))
PAGES = [name for name in ALL if not name.startswith(("emails/", "security/email/"))]
FRAGMENTS = [name for name in PAGES if Path(name).name.startswith("_")]

# What is reached without signing in, apart from what only leads there.
PUBLIC = {
    "home",
    "static",
    "security.login",
    "security.logout",
    "security.forgot_password",
    "security.reset_password",
}
SIGNED_IN = {"security.change_password"}
DEEDS = {"read", "resend", "fulfil", "replace", "configure"}
# Reached by whoever signs what they send with a secret of a checkout page.
HOOKS = {"hooks.create", "hooks.create_noventiq"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders"}
SAFE = {"GET", "HEAD", "OPTIONS"}
# What an operator who looks at an address sees, where that is not its own page.
SEEN_INSTEAD = {
    "home": (200, "/orders"),  # leads there
    "searches.show": (200, "/orders"),  # leads to what was interrupted, which nothing was
    "security.login": (200, "/orders"),  # they have signed in
    "static": (404, "/static/x"),  # test_static_files.py asks for those that are there
}

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def order(acme):
    """The ordinary order, with one more item whose license the vendor's staff have to enter."""
    order = bring_in(order_document(items=[item_document(), item_document("2", codes=())]))
    (fulfilment,) = Fulfilment.begin(order)
    fulfilment.product.tool = Tool.LICENSE_REQUEST
    fulfilment.take(Waits(Failure.LICENSE_AWAITED))
    db.session.commit()
    return order


@pytest.fixture
def parts(order, license, pool):
    """What stands in addresses for each of their parts: all of it is there, and that is the point,
    since what is not there is refused to everybody. A new kind of part gets a value here."""
    page, item = order.checkout_page, order.items[1]
    delivery = Delivery.automatic(item, [], token="t" * 20)
    PageSecret.add(page, Hook.WEBHOOK)
    PageSecret.add(page, Hook.WEBHOOK)  # one of two can be retired
    message = receive(page.id, Hook.WEBHOOK, "msg_1", "{}")
    upload = upload_of(pool, "POOL-0001")
    return {
        "number": order.number,
        "license_id": license.id,
        "item_id": item.id,
        "delivery_id": delivery.id,
        "product_id": item.fulfilment.product_id,
        "code": page.code,
        "secret_id": PageSecret.of(page, Hook.WEBHOOK)[0].id,
        "message_id": message.id,
        "pool_id": pool.id,
        "upload_id": upload.id,
        "language": "en",
        "token": "x",
        "filename": "x",
    }


def routes(app):
    """Each address with each of its methods but HEAD and OPTIONS, and its view."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method, app.view_functions[rule.endpoint]


def address(app, rule, parts):
    values = {name: parts[name] for name in rule.arguments}
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values)


def of_an_order(rule):
    return "number" in rule.arguments


def session_token(browser):
    page = browser.open("/orders")
    return page.parts("input[name=csrf_token]")[0].attributes["value"]


def signs_for(browser, person):
    """How `person` signs what they send to a view: its headers."""
    by_form = {"X-CSRFToken": session_token(browser)}
    by_token = {"Authorization": f"Bearer {person.renew_token()}"}
    db.session.commit()
    return lambda view: by_token if getattr(view, "signed_by_token", False) else by_form


def changes(found):
    """The statements that changed something, but for what is counted of those who ask."""
    changing = [sql for sql in found if re.match(r"\s*(INSERT|UPDATE|DELETE)", sql)]
    return [sql for sql in changing if "rate_limits" not in sql]


def test_each_route_says_who_may_use_it(app):
    for rule, method, view in routes(app):
        if rule.endpoint not in PUBLIC | SIGNED_IN | HOOKS:
            assert getattr(view, "may", None) in DEEDS, f"{method} {rule} lets everybody in"


def test_a_route_of_the_api_takes_tokens_and_no_other_does(app):
    for rule, _method, view in routes(app):
        by_token = getattr(view, "signed_by_token", False)
        assert by_token == str(rule).startswith("/api/"), rule
        exempt = f"{view.__module__}.{view.__name__}" in csrf._exempt_views
        assert exempt == (by_token or rule.endpoint in HOOKS), rule


def test_a_hook_takes_signed_messages_and_no_other_route_does(app):
    for rule, method, view in routes(app):
        signed = getattr(view, "signed_by_page", False)
        assert signed == (rule.endpoint in HOOKS) == str(rule).startswith("/hooks/"), rule
        assert not signed or method == "POST"


def test_a_hook_takes_no_session_and_no_token_for_a_signature(app, signed_in, ada, order):
    browser = signed_in(ada)
    headers = {
        "X-CSRFToken": session_token(browser),
        "Authorization": f"Bearer {ada.renew_token()}",
    }
    for code in ("acme", "nowhere"):
        for path in (f"/hooks/{code}", f"/hooks/{code}/noventiq"):
            answer = browser.open(path, method="POST", headers=headers, data="{}")
            assert answer.status == 401, path
            assert "acme" not in answer.text


def test_a_stranger_gets_nowhere(app, stranger, parts, mailbox):
    for rule, method, view in routes(app):
        if rule.endpoint in PUBLIC:
            continue
        path = address(app, rule, parts)
        token = stranger.open("/login").parts("input[name=csrf_token]")[0].attributes["value"]
        answer = stranger.open(path, method=method, headers={"X-CSRFToken": token})
        if getattr(view, "signed_by_token", False) or rule.endpoint in HOOKS:
            assert answer.status == 401, (method, rule)
        else:
            assert answer.address.startswith("/login"), (method, rule)
        assert "kim@example.com" not in answer.text
        assert "AV7K2" not in answer.text
    assert mailbox.empty


def test_an_agent_sets_nothing_up(app, signed_in, rob, parts):
    browser = signed_in(rob)
    headers = {"X-CSRFToken": session_token(browser)}
    for rule, method, view in routes(app):
        if getattr(view, "may", None) == "configure":
            path = address(app, rule, parts)
            assert browser.open(path, method=method, headers=headers).status == 403, (method, rule)


def test_an_order_of_another_page_is_like_one_that_does_not_exist(
    app, signed_in, ida, parts, mailbox
):
    browser = signed_in(ida)
    signed = signs_for(browser, ida)
    tried = 0
    for rule, method, view in routes(app):
        if not of_an_order(rule):
            continue
        tried += 1
        answers = set()
        for number in ("A0005555555", "A0009999999", "nonsense", "A" + "9" * 30, "A000555555\0"):
            path = address(app, rule, parts | {"number": number})
            with statements(app) as found:
                answer = browser.open(path, method=method, headers=signed(view))
            assert answer.status == 404, (method, rule, number)
            assert changes(found) == [], (method, rule)  # it may have been done before the answer
            body = re.sub(
                r'(nonce|csrf_token" value|data-session)="[^"]*"', "", answer.response.text
            )
            answers.add(body)
        assert len(answers) == 1, (method, rule)
    assert tried >= 4
    assert mailbox.empty


def test_what_others_are_refused_is_there_for_whoever_may_see_it(app, signed_in, rob, ada, parts):
    agent, operator = signed_in(rob), signed_in(ada)
    of_agent, of_operator = signs_for(agent, rob), signs_for(operator, ada)
    for rule, method, view in routes(app):
        if rule.endpoint in PUBLIC | HOOKS:
            continue
        browser, signed = (agent, of_agent) if of_an_order(rule) else (operator, of_operator)
        answer = browser.open(address(app, rule, parts), method=method, headers=signed(view))
        assert answer.status not in (401, 403, 404), (method, rule)
        assert not answer.address.startswith("/login"), (method, rule)


def test_a_thing_is_reached_through_what_it_belongs_to_alone(app, signed_in, ada, nordsoft, parts):
    other, pool = bring_in(order_document("A0006666666")), Pool.add("Other keys", by=None)
    db.session.commit()
    elsewhere = {"number": other.number, "code": nordsoft.code, "pool_id": pool.id}
    owned = {"license_id", "item_id", "delivery_id", "secret_id", "message_id", "upload_id"}
    browser = signed_in(ada)
    signed = signs_for(browser, ada)
    for rule, method, view in routes(app):
        for name in owned & rule.arguments:
            for given in (elsewhere, {name: 10**30}):
                path = address(app, rule, parts | given)
                answer = browser.open(path, method=method, headers=signed(view))
                assert answer.status == 404, (method, path)


def test_each_change_needs_a_form_of_ours(app, signed_in, ada, parts):
    browser = signed_in(ada)
    for rule, method, view in routes(app):
        by_token = getattr(view, "signed_by_token", False)
        if method not in SAFE and not by_token and rule.endpoint not in HOOKS:
            path = address(app, rule, parts)
            for headers in ({}, {"X-CSRFToken": "wrong"}, {"Sec-Fetch-Site": "same-origin"}, HTMX):
                goes_on = headers is HTMX and rule.endpoint == "searches.create"  # changes nothing
                goes_on |= rule.endpoint == "security.login"  # where they have signed in already
                answer = browser.open(path, method=method, headers=headers)
                assert answer.status == (200 if goes_on else 400), rule
    assert browser.open("/orders").address == "/orders"


def test_nothing_changes_by_looking(app, signed_in, ada, parts):
    browser = signed_in(ada)
    signed = signs_for(browser, ada)
    with statements(app) as found:
        for rule, method, view in routes(app):
            if method == "GET" and rule.endpoint != "security.reset_password":
                path = address(app, rule, parts)
                page = browser.open(path, headers=signed(view))
                seen = SEEN_INSTEAD.get(rule.endpoint, (200, path))
                assert (page.status, page.address) == seen, rule
    assert changes(found) == []


def test_a_post_that_only_reads_changes_nothing(app, signed_in, ada, parts):
    for rule, method, view in routes(app):
        if getattr(view, "reads_only", False):
            assert method == "POST"
            browser = signed_in(ada)
            token, path = session_token(browser), address(app, rule, parts)
            with statements(app) as found:
                browser.open(path, method=method, headers={"X-CSRFToken": token})
            assert not [sql for sql in found if not sql.startswith(("SELECT", "BEGIN", "WITH"))]


@pytest.mark.parametrize("name", FRAGMENTS)
def test_each_fragment_opens_with_what_it_fills(name):
    text = (TEMPLATES / name).read_text()
    comment = re.match(r"\{# (fragment #([\w<>-]+)|part of|macros)[^#]*.*#\}\n", text)
    assert comment, f"{name} does not say which id it fills"
    if comment[2] and "its inside" not in comment[0]:
        stem = comment[2].split("<")[0]
        assert re.search(rf'id="({stem}|\{{\{{ id \}}\}}")', text), f"{name} lacks #{comment[2]}"


@pytest.mark.parametrize("name", PAGES)
def test_no_template_compares_a_state(name):
    text = (TEMPLATES / name).read_text()
    assert not re.search(r"\.(\w+_)?(state|status)\s*(==|!=|(not\s+)?in\b|is\s)", text)


@pytest.mark.parametrize("name", PAGES)
def test_no_template_has_script_or_style_of_its_own(name):
    text = (TEMPLATES / name).read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert not re.search(r"""[\s"']style\s*=""", text)
    assert not re.search(r"""<[^>]*[\s"']on[a-z]+\s*=""", text)
    assert "hx-on" not in text
    assert not re.search(r"\|\s*safe\b", text)


@pytest.mark.parametrize("what", What)
def test_each_history_entry_has_a_sentence(what):
    with force_locale("en"):
        entry = HistoryEntry(what=what, to="kim@example.com", text="Sentinel Antivirus")
        assert entry.sentence
        assert "None" not in entry.sentence


def crowded(order, people):
    """Give `order` many entries of its history, deliveries under way by several people, and e-mails
    without a license that did not arrive."""
    for number in range(40):
        delivery = Delivery.of(
            order, [order.items[0].licenses[0]], by=people[number % 3], token=f"{number:024}"
        )
        db.session.add(delivery)
        db.session.flush()
        if number % 4:
            delivery.finish(DeliveryStatus.SENT)
    for item in order.items[-20:]:
        information = Delivery.automatic(item, [], token=f"about-{item.id}")
        db.session.flush()
        information.finish(DeliveryStatus.FAILED, failure="address_refused")
    db.session.commit()


def fulfil(order):
    """Begin what `order` still wants: some is mailed, some is tried again, and all is under way."""
    for number, fulfilment in enumerate(Fulfilment.begin(order)):
        fulfilment.product.tool = Tool.WEB_SERVICE
        if number % 2:
            fulfilment.take(Licenses([f"NEW-{number}"]))
        else:
            fulfilment.take(Trouble(Failure.SERVICE_BUSY, "HTTP 503"))
    db.session.commit()


def queries(found):
    return [sql for sql in found if sql.lstrip().startswith(("SELECT", "WITH"))]


def test_an_order_page_costs_six_statements_however_long_it_is(app, signed_in, ada, acme):
    items = [
        item_document(f"{n}", codes=[f"CODE-{n}-{c}-XYZ" for c in range(5)]) for n in range(450)
    ]
    items += [item_document(f"no-{n}", codes=()) for n in range(50)]
    order = bring_in(order_document(items=items))
    fulfil(order)
    pages = [CheckoutPage(code=f"page-{n}", title=f"Page {n}") for n in range(5)]
    people = [add_staff(f"p{n}@example.com", Role.AGENT, acme, *pages) for n in range(3)]
    crowded(order, people)
    for person in (people[0], ada):
        browser = signed_in(person)
        with statements(app) as found:
            page = browser.open("/orders/A0005555555")
        assert page.text.count("CODE-") >= 2000
        assert page.text.count("Send again") == 20
        assert len(queries(found)) <= 6, "\n\n".join(queries(found))


@pytest.mark.parametrize("role", ["rob", "ada"])
def test_nobody_is_read_in_parts(app, signed_in, request, role, order):
    question = signed_in(request.getfixturevalue(role)).open("/orders/A0005555555").press("Resend")
    with statements(app) as found:
        question.press("Send")
    people = [sql for sql in queries(found) if sql.startswith("SELECT staff.")]
    assert people
    assert [sql for sql in people if not sql.startswith("SELECT staff.id, staff.email")] == []


def test_a_list_costs_four_statements_however_long_it_is(app, signed_in, rob, nordsoft):
    for number in range(60):
        bring_in(order_document(f"A{number + 1:010}"))
    browser = signed_in(rob)
    for path in ("/orders", "/orders?q=kim", "/orders?status=paid&created_from=2026-11-02"):
        with statements(app) as found:
            page = browser.open(path)
        assert len(page.parts("tbody tr")) == 50, path
        assert len(queries(found)) <= 4, "\n\n".join(queries(found))


def test_a_license_costs_no_more_in_a_long_order(app, signed_in, rob, acme):
    def cost(order):
        browser = signed_in(rob)
        path = f"/orders/{order.number}/licenses/{order.items[0].licenses[0].id}"
        counts = []
        for address in (path, f"{path}/resends/new"):
            with statements(app) as found:
                assert browser.open(address).status == 200
            counts.append(len(queries(found)))
        return counts

    short = cost(bring_in(order_document()))
    items = [item_document(f"{n}") for n in range(100)]
    assert cost(bring_in(order_document("A0006666666", items=items))) == short
    assert max(short) <= 6


def test_a_page_of_another_checkout_page_is_not_in_any_list(signed_in, ida, order):
    browser = signed_in(ida)
    for query in ("", "?q=kim", "?q=A0005555555", "?q=AV7K2-9QXPL-44RTZ-0018M", "?page=acme"):
        page = browser.open(f"/orders{query}")
        assert "kim@example.com" not in page.text
        assert "A0005555555" not in page.part("results").text
    assert db.session.get(Order, 5555555)


def test_every_page_of_the_browser_parses(signed_in, ada, order):
    page = signed_in(ada).open("/orders/A0005555555")
    ids = [element.id for element in parse(page.response.text).css("[id]")]
    assert len(ids) == len({*ids}), "an id is on the page twice"


def test_no_words_of_an_exception_are_logged():
    for path in Path("portal").rglob("*.py"):
        source = path.read_text()
        assert "log.exception(" not in source, path
        assert "exc_info=" not in source, path
