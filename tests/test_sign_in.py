"""The sign-in page is the only way in, and a session ends when it should."""

import time
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from portal import clock
from portal.extensions import db
from portal.models import Role, Staff
from tests.people import add_staff
from tests.support.application import dispose_of
from tests.support.portal import PASSWORD, PlainBrowser
from tests.support.running_portal import wait_until

NEW = "a new and long password"
ENDED = "You are no longer signed in, so nothing was done."
ONE_REFUSAL = "The e-mail address or the password is wrong."


def cookie(browser, name="keydesk"):
    return browser.client.get_cookie(name)


def session_of(browser):
    with browser.client.session_transaction() as session:
        return session


def test_signing_in_leads_to_the_orders_and_out_again(stranger, rob):
    page = stranger.sign_in(rob.email)
    assert page.address == "/orders"
    assert "rob@example.com" in page.text

    page = page.press("Sign out")
    assert page.address == "/login"
    assert stranger.open("/orders").address == "/login?next=/orders"


def test_signing_out_ends_the_session_and_no_copy_of_its_cookie_goes_on(app, signed_in, rob):
    browser, elsewhere, thief = signed_in(rob), signed_in(rob), PlainBrowser(app)
    stolen = browser.client.get_cookie(app.config["SESSION_COOKIE_NAME"]).value
    thief.client.set_cookie(app.config["SESSION_COOKIE_NAME"], stolen)
    assert thief.open("/orders").address == "/orders"

    browser.open("/orders").press("Sign out")
    thief.client.set_cookie(app.config["SESSION_COOKIE_NAME"], stolen)
    assert thief.open("/orders").address == "/login?next=/orders"
    assert elsewhere.open("/orders").address == "/orders"


def test_what_is_known_of_ended_sessions_is_forgotten_when_they_would_be_over(rob):
    for name, seconds in {"long ago": -1, "an hour ago": 11 * 3600, "now": 12 * 3600}.items():
        rob.end_session(name, until=clock.now().timestamp() + seconds)
        db.session.commit()
    assert list(rob.ended_sessions) == ["an hour ago", "now"]


def test_an_agent_of_several_pages_sees_all_of_them(signed_in, acme, nordsoft):
    both = add_staff("both@example.com", Role.AGENT, acme, nordsoft)
    page = signed_in(both).open("/orders")
    assert "Acme Store" in page.text
    assert "Nordsoft" in page.text


@pytest.mark.parametrize("email", ["ROB@example.com", "Rob@EXAMPLE.com", "rob@example.com"])
def test_an_address_is_known_in_any_case(stranger, rob, email):
    assert stranger.sign_in(email).address == "/orders"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("rob@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("removed@example.com", PASSWORD),
        ("invited@example.com", PASSWORD),
        ("removed@example.com", ""),
        ("no address", PASSWORD),
        ("nul\0@example.com", PASSWORD),
        ("rob@example.com", "nul\0"),
    ],
)
def test_whoever_may_not_come_in_hears_the_same(stranger, rob, email, password):
    add_staff("removed@example.com", Role.OPERATOR).remove()
    add_staff("invited@example.com", Role.OPERATOR).password = None
    page = stranger.sign_in(email, password)
    assert page.status == 200
    errors = [part.text for part in page.parts(".error, .notice")]
    assert {*errors} == {ONE_REFUSAL}
    assert stranger.open("/orders").address.startswith("/login")


@pytest.mark.settings(SESSION_COOKIE_SECURE=True)
def test_the_cookie_is_kept_from_scripts_and_other_sites_and_plain_text(stranger):
    (header,) = stranger.open("/login", base_url="https://localhost").headers.getlist("Set-Cookie")
    assert header.startswith("keydesk=")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {*header.split("; ")}
    assert "Expires" not in header


@pytest.mark.settings(SESSION_HOURS=2)
def test_a_session_ends_by_the_clock_however_busy_it_was(signed_in, rob):
    browser = signed_in(rob)
    with browser.client.session_transaction() as session:
        session["fs_paa"] = time.time() - 2 * 3600 + 60
    assert browser.open("/orders").address == "/orders"
    with browser.client.session_transaction() as session:
        session["fs_paa"] = time.time() - 2 * 3600 - 1
    page = browser.open("/orders")
    assert page.address.startswith("/login")
    assert "rob@example.com" not in page.text


def test_no_session_is_remembered(stranger, rob):
    page = stranger.open("/login")
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"email": rob.email, "password": PASSWORD, "remember": "y", "csrf_token": token}
    assert stranger.open("/login", method="POST", data=form).address == "/orders"
    assert cookie(stranger, "remember_token") is None


def test_changing_the_password_ends_every_other_session(signed_in, rob):
    here, there = signed_in(rob), signed_in(rob)
    page = here.open("/orders").press("Change password")
    page.fill("Present password", PASSWORD).fill("New password", NEW)
    page = page.fill("New password again", NEW)
    page = page.part("main").press("Change password")

    assert page.address == "/orders"
    assert here.open("/orders").address == "/orders"
    assert there.open("/orders").address.startswith("/login")
    assert there.sign_in(rob.email).address.startswith("/login")
    assert there.sign_in(rob.email, NEW).address == "/orders"


def test_a_new_password_leaves_the_api_token_as_it_is_and_says_so(signed_in, rob):
    note = "Your API token stays valid"
    assert note not in signed_in(rob).open("/password").text
    token = rob.renew_token()
    db.session.commit()
    page = signed_in(rob).open("/password")
    assert note in page.text
    page.fill("Present password", PASSWORD).fill("New password", NEW)
    page.fill("New password again", NEW).part("main").press("Change password")
    db.session.expire_all()
    assert Staff.by_token(token) is rob


def test_the_present_password_is_needed_to_change_it(signed_in, rob):
    browser = signed_in(rob)
    page = browser.open("/password").fill("Present password", "wrong password")
    page.fill("New password", NEW).fill("New password again", NEW)
    page = page.part("main").press("Change password")
    assert page.address == "/password"
    assert page.parts(".error")
    assert signed_in(rob)


def test_resetting_the_password_ends_every_session_and_the_link(signed_in, stranger, rob, mailbox):
    there = signed_in(rob)
    stranger.open("/login").press("Forgotten").fill("Email", rob.email).press("Send the link")
    (mail,) = mailbox.wait_for(1)
    link = next(word for word in mail.plain.split() if "/password/reset/" in word)
    path = "/" + link.split("/", 3)[3]

    page = stranger.open(path).fill("New password", NEW).fill("New password again", NEW)
    assert page.press("Save the password").address == "/login"

    assert there.open("/orders").address.startswith("/login")
    assert stranger.open(path).address == "/password/reset"
    assert stranger.sign_in(rob.email, NEW).address == "/orders"


@pytest.mark.settings(PORTAL_URL="https://keydesk.example.com")
def test_the_link_of_a_reset_follows_no_forged_host(stranger, rob, mailbox):
    forged = {"headers": {"X-Forwarded-Host": "evil.example"}}
    page = stranger.open("/password/reset", **forged)
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"email": rob.email, "csrf_token": token}
    stranger.open("/password/reset", method="POST", data=form, **forged)
    (mail,) = mailbox.wait_for(1)
    for text in (mail.plain, mail.html):
        assert "https://keydesk.example.com/password/reset/" in text
        assert "evil.example" not in text


@pytest.mark.parametrize("email", ["nobody@example.com", "removed@example.com"])
def test_nobody_learns_from_a_reset_who_has_access(stranger, rob, email, mailbox):
    add_staff("removed@example.com", Role.OPERATOR).remove()

    def answer(email):
        page = stranger.open("/password/reset").fill("Email", email).press("Send the link")
        return page.status, page.part("main").text.replace(email, "…")

    assert answer(email) == answer(rob.email)
    assert [mail["To"] for mail in mailbox.wait_for(1)] == [rob.email]


def test_nobody_waits_for_the_mail_server_with_a_link(app, stranger, rob, mail_server, caplog):
    silent = mail_server(at="BODY", does="silence")
    app.config["MAIL_TIME_LIMIT"] = 10
    page = stranger.open("/password/reset").fill("Email", rob.email).press("Send the link")
    assert page.status == 200
    silent.wait_for(1)
    assert "reset_instructions" not in caplog.text

    silent.__exit__()
    wait_until(lambda: "reset_instructions” may or may not have been sent: dropped" in caplog.text)


def test_nobody_is_done_with_an_application_before_its_mails_are_sent(app, stranger, rob, mailbox):
    stranger.open("/password/reset").fill("Email", rob.email).press("Send the link")
    dispose_of(app)
    assert len(mailbox.messages) == 1


def test_being_removed_ends_every_session(signed_in, rob):
    browser = signed_in(rob)
    rob.remove()
    assert browser.open("/orders").address.startswith("/login")


def test_nothing_that_was_in_the_browser_before_signing_in_counts_after(stranger, rob):
    before = stranger.open("/login").parts("input[name=csrf_token]")[0].attributes["value"]
    stranger.sign_in(rob.email)
    answer = stranger.open("/logout", method="POST", data={"csrf_token": before})
    assert answer.status == 400
    assert stranger.open("/orders").address == "/orders"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "https:evil.example",
        "https:/evil.example",
        "javascript:alert(1)",
        "http://localhost:80@evil.example/",
        "http://localhost\\@evil.example/",
        "security.logout",
    ],
)
@pytest.mark.parametrize("place", ["address", "form"])
def test_signing_in_leads_nowhere_else(stranger, rob, elsewhere, place):
    page = stranger.open("/login")
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"email": rob.email, "password": PASSWORD, "csrf_token": token}
    query = "?" + urlencode({"next": elsewhere}) if place == "address" else ""
    if place == "form":
        form["next"] = elsewhere
    db.session.commit()
    response = stranger.client.post(f"/login{query}", data=form)
    assert response.status_code == 302
    location = urlsplit(urljoin("http://localhost/login", response.headers["Location"]))
    assert (location.scheme, location.netloc) == ("http", "localhost")
    assert not {*location.path} & {*"\\\t\n"}


def test_forms_are_good_again_for_who_signs_in_again(signed_in, rob, ida):
    browser = signed_in(rob)
    page = browser.open("/password")
    page.press("Sign out")
    browser.sign_in(ida.email)
    assert page.press("Sign out").status == 400
    browser.open("/orders").press("Sign out")
    browser.sign_in(rob.email)
    assert page.press("Sign out").address == "/login"


def test_forms_from_before_the_password_was_changed_are_not(signed_in, rob):
    browser = signed_in(rob)
    page = browser.open("/orders")
    form = browser.open("/password").fill("Present password", PASSWORD)
    form = form.fill("New password", NEW).fill("New password again", NEW)
    assert form.part("main").press("Change password").address == "/orders"
    assert page.press("Sign out").status == 400


@pytest.mark.parametrize("again", ["open", "press"])
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/orders/A0005555555", "/orders/A0005555555"),
        ("/orders", "/orders"),
        ("https://evil.example/", "/orders"),
        ("//evil.example/", "/orders"),
        ("/\\evil.example/", "/orders"),
        ("/\t/evil.example", "/orders"),
        ("login", "/orders"),
    ],
)
def test_of_two_sign_in_pages_the_second_leads_on(stranger, rob, order, again, asked, shown):
    page = stranger.open("/login?" + urlencode({"next": asked}))
    stranger.sign_in(rob.email)
    if again == "open":
        page = stranger.open(page.address)
    else:
        page = page.fill("Email", rob.email).fill("Password", PASSWORD).press("Sign in")
    assert (page.status, page.address) == (200, shown)


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_nobody_gets_into_the_session_of_somebody_else_unawares(stranger, rob, ida, password):
    page = stranger.open("/login")
    stranger.sign_in(rob.email)
    page = page.fill("Email", ida.email).fill("Password", password).press("Sign in")
    assert "rob@example.com is signed in here." in page.text


def test_a_copy_of_an_ended_session_draws_no_mark_of_forms(app, signed_in, rob):
    browser, thief = signed_in(rob), PlainBrowser(app)
    name = app.config["SESSION_COOKIE_NAME"]
    thief.client.set_cookie(name, browser.client.get_cookie(name).value)
    browser.open("/orders").press("Sign out")
    token = thief.open("/login").parts("input[name=csrf_token]")[0].attributes["value"]
    browser.sign_in(rob.email)
    assert browser.open("/logout", method="POST", data={"csrf_token": token}).status == 400


def test_signing_in_leads_back_to_the_page_one_was_on(stranger, rob, order):
    page = stranger.open("/orders/A0005555555?from=mail")
    assert page.address == "/login?next=/orders/A0005555555?from%3Dmail"
    assert ENDED not in page.seen  # nothing was asked for but the page, which comes
    page = page.fill("Email", rob.email).fill("Password", PASSWORD).press("Sign in")
    assert page.address == "/orders/A0005555555?from=mail"


def test_a_fragment_leads_back_to_its_page(signed_in, rob, order):
    browser = signed_in(rob)
    page = browser.open("/orders/A0005555555")
    rob.fs_uniquifier = "ended"
    page = page.press("Resend")
    assert page.address == "/login?next=/orders/A0005555555"
    assert ENDED in page.seen
    page = page.fill("Email", rob.email).fill("Password", PASSWORD).press("Sign in")
    assert page.address == "/orders/A0005555555"


@pytest.mark.parametrize("url", ["https://evil.example/orders", "", "nonsense", "http://[", "//"])
def test_a_page_of_another_host_is_not_led_back_to(stranger, order, url):
    headers = {"HX-Request": "true", "HX-Current-URL": url}
    assert stranger.open("/orders/A0005555555", headers=headers).address == "/login"


def test_a_form_of_htmx_stays_where_it_is(signed_in, rob, order):
    browser = signed_in(rob)
    page = browser.open("/orders/A0005555555").press("Resend")
    rob.fs_uniquifier = "ended"
    answer = page.press("Send")
    assert answer.status == 403
    assert answer.response.headers["HX-Retarget"] == "#notice"
    assert ENDED[:-1] in answer.seen
    assert order.deliveries == []


def test_a_form_leads_back_to_the_page_it_was_on(signed_in, rob, license):
    browser = signed_in(rob)
    page = browser.open(f"/orders/A0005555555/licenses/{license.id}/resends/new")
    rob.fs_uniquifier = "ended"
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    page = browser.open(
        f"/orders/A0005555555/licenses/{license.id}/resends",
        method="POST",
        data={"csrf_token": token},
        headers={"Referer": "http://localhost/orders/A0005555555"},
    )
    assert page.address == "/login?next=/orders/A0005555555"
    assert ENDED in page.seen


@pytest.mark.parametrize("path", ["/login", "/password/reset", "/password/reset/x", "/password"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signing_in_takes_no_json(stranger, rob, path, method):
    stranger.open("/login")
    token = session_of(stranger).get("csrf_token", "")
    credentials = {"email": rob.email, "password": PASSWORD, "csrf_token": token}
    answer = stranger.open(f"{path}?include_auth_token", method=method, json=credentials)
    is_led_to_sign_in = path == "/password" and answer.address.startswith("/login")
    assert is_led_to_sign_in or answer.status in (400, 415)
    assert not answer.response.is_json
    assert "_user_id" not in session_of(stranger)


def test_signing_in_answers_no_json(stranger, signed_in, rob):
    accept = {"Accept": "application/json"}
    for browser in (stranger, signed_in(rob)):
        for path in ("/login?include_auth_token", "/password?include_auth_token"):
            answer = browser.open(path, headers=accept)
            assert answer.response.mimetype == "text/html"


def test_a_token_of_flask_security_opens_nothing(stranger, rob):
    token = rob.get_auth_token()
    ways = [
        {"headers": {"Authentication-Token": token}},
        {"query_string": {"auth_token": token}},
        {"json": {"auth_token": token}},
        {"auth": (rob.email, PASSWORD)},
    ]
    for way in ways:
        for path in ("/orders", "/password"):
            page = stranger.open(path, **way)
            assert page.address.startswith("/login") or page.status == 415
            assert rob.email not in page.text


def test_flask_security_has_no_other_pages(app):
    rules = {str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("security")}
    assert rules == {
        "/login",
        "/logout",
        "/password",
        "/password/reset",
        "/password/reset/<token>",
    }


def test_signing_out_takes_a_form_of_ours(signed_in, rob):
    browser = signed_in(rob)
    assert browser.open("/logout").status == 405
    assert browser.open("/logout", method="POST").status == 400
    assert browser.open("/orders").address == "/orders"


def test_what_somebody_may_see_counts_from_the_next_request_on(signed_in, rob, nordsoft, order):
    browser = signed_in(rob)
    assert browser.open("/orders/A0005555555").status == 200
    rob.checkout_pages = [nordsoft]
    db.session.commit()
    assert browser.open("/orders/A0005555555").status == 404


def test_a_link_that_is_no_longer_good_does_not_look_like_a_success(stranger):
    page = stranger.open("/password/reset/no-such-token")
    assert page.parts(".notice")[0].text == "This link cannot be used any more. Ask for a new one."
    assert not page.parts(".flash")
    page = page.fill("Email", "kim@example.com").press("Send the link")
    assert len(page.parts(".flash")) == 1
    assert not page.parts("main .notice")
