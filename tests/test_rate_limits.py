"""Guessing is limited, by address and by account, in all processes together."""

import time

import pytest

from portal import create_app
from portal.extensions import db
from portal.rate_counts import RateLimit
from tests.support.application import dispose_of
from tests.support.portal import PASSWORD, PlainBrowser

few = pytest.mark.settings(LOGIN_LIMIT_ACCOUNT="3 per 10 minutes")


@pytest.fixture
def second(settings, app):
    """The browser of somebody at another process of the same portal."""
    other = create_app(settings)
    yield PlainBrowser(other)
    with other.app_context():
        db.session.remove()
    dispose_of(other)


@few
def test_an_account_is_limited_across_applications(stranger, second, rob):
    for browser in (stranger, second, stranger):
        assert browser.sign_in(rob.email, "wrong password").status == 200
    for browser in (stranger, second):
        page = browser.sign_in(rob.email)
        assert page.status == 429
        assert page.parts("h1")[0].text == "Too many attempts"
        assert 590 < int(page.headers["Retry-After"]) <= 600
        assert "Wait 10 minutes, and try again." in page.text
        assert page.press("To the sign-in page").address.startswith("/login")


@few
def test_who_knows_the_password_uses_up_no_tries(app, rob):
    for _time in range(5):
        assert PlainBrowser(app).sign_in(rob.email).address == "/orders"
    stranger = PlainBrowser(app)
    statuses = [stranger.sign_in(rob.email, "wrong password").status for _try in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert stranger.sign_in(rob.email).status == 429


@pytest.mark.settings(LOGIN_LIMIT_ADDRESS="3 per 10 minutes")
def test_many_people_of_one_office_sign_in(app, rob):
    for _time in range(5):
        assert PlainBrowser(app).sign_in(rob.email).address == "/orders"


@few
def test_the_time_to_wait_is_what_is_left(stranger, rob):
    for _try in range(3):
        stranger.sign_in(rob.email, "wrong password")
    db.session.execute(db.update(RateLimit).values(ends_at=time.time() + 100))
    assert 90 < int(stranger.sign_in(rob.email).headers["Retry-After"]) <= 100
    db.session.execute(db.update(RateLimit).values(ends_at=time.time() - 1))
    assert stranger.sign_in(rob.email).address == "/orders"


@pytest.mark.settings(LOGIN_LIMIT_ADDRESS="2 per 10 minutes", TRUSTED_PROXIES=1)
def test_an_address_is_limited_whoever_it_tries_and_others_are_not(stranger, rob):
    def sign_in(email, address):
        page = stranger.open("/login").fill("Email", email).fill("Password", "wrong password")
        stranger.client.environ_base["HTTP_X_FORWARDED_FOR"] = address
        return page.press("Sign in").status

    tries = [sign_in(f"{name}@example.com", "192.0.2.1") for name in ("a", "b", "c")]
    assert tries == [200, 200, 429]
    assert sign_in(rob.email, "192.0.2.2") == 200


@pytest.mark.settings(LOGIN_LIMIT_ADDRESS="2 per 10 minutes", TRUSTED_PROXIES=1)
def test_the_addresses_of_one_network_of_ipv6_have_one_count(stranger):
    statuses = []
    for number, network in enumerate(("1:2", "1:2", "1:2", "1:3")):
        stranger.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"2001:db8:{network}::{number}"
        statuses.append(stranger.sign_in(f"{number}@example.com", "wrong").status)
    assert statuses == [200, 200, 429, 200]


@pytest.mark.settings(API_LIMIT="3 per minute")
def test_a_token_has_one_count_however_it_is_written(app, rob, order):
    browser, token = PlainBrowser(app), rob.renew_token()
    db.session.commit()
    ways = ("Bearer ", "bearer ", "BEARER ", "Bearer  ")
    statuses = [
        browser.open(
            f"/api/v1/orders/{order.number}", headers={"Authorization": way + token}
        ).status
        for way in ways
    ]
    assert statuses == [200, 200, 200, 429]


@few
@pytest.mark.parametrize(
    "forms",
    [
        ("rob@example.com", "ROB@example.com", "Rob@EXAMPLE.com", "rob@example.com"),
        ("ÄRZTE@example.com", "ärzte@example.com", "A\u0308rzte@example.com", "Ärzte@example.com"),
        ("x@xn--mnchen-3ya.de", "x@münchen.de", "X@MÜNCHEN.de", "x@XN--MNCHEN-3YA.DE"),
    ],
)
def test_one_account_has_one_count_however_it_is_written(stranger, forms):
    assert [stranger.sign_in(form, "wrong").status for form in forms] == [200, 200, 200, 429]


@few
def test_two_accounts_have_two_counts(stranger):
    emails = ["straße@example.com", "strasse@example.com"] * 2
    assert {stranger.sign_in(email, "wrong").status for email in emails} == {200}


@few
def test_changing_the_password_is_limited(signed_in, rob):
    browser, statuses = signed_in(rob), []
    for _try in range(4):
        page = browser.open("/password").fill("Present password", "wrong")
        page.fill("New password", "a new password").fill("New password again", "a new password")
        statuses.append(page.part("main").press("Change password").status)
    assert statuses == [200, 200, 200, 429]


@few
def test_an_address_added_to_the_form_does_not_lift_the_limit(signed_in, rob):
    browser, statuses = signed_in(rob), []
    token = browser.open("/password").parts("input[name=csrf_token]")[0].attributes["value"]
    for number in range(4):
        form = {"email": f"{number}@example.com", "password": "wrong", "csrf_token": token}
        statuses.append(browser.open("/password", method="POST", data=form).status)
    assert statuses == [200, 200, 200, 429]


def try_links(browser, times):
    """Post to the page behind a link that nobody was mailed; the statuses of the answers."""
    token = browser.open("/login").parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"csrf_token": token}
    posts = [browser.client.post("/password/reset/none", data=form) for _try in range(times)]
    return [post.status_code for post in posts]


@few
def test_nobody_can_use_up_the_tries_of_those_who_have_a_link(stranger):
    assert 429 not in try_links(stranger, 5)


@pytest.mark.settings(LOGIN_LIMIT_ADDRESS="2 per 10 minutes")
def test_links_are_limited_by_address(stranger):
    statuses = try_links(stranger, 3)
    assert statuses[2] == 429
    assert 429 not in statuses[:2]


@few
def test_asking_for_a_link_is_limited(stranger, rob, mailbox):
    statuses = [
        stranger.open("/password/reset").fill("Email", rob.email).press("Send the link").status
        for _try in range(4)
    ]
    assert statuses == [200, 200, 200, 429]
    assert len(mailbox.wait_for(3)) == 3


def test_whoever_is_signed_in_signs_in_again_without_waiting(signed_in, rob):
    browser = signed_in(rob)
    token = browser.open("/orders").parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"email": rob.email, "password": PASSWORD, "csrf_token": token}
    began = time.monotonic()
    assert browser.open("/login", method="POST", data=form).address == "/orders"
    assert time.monotonic() - began < 5  # the lock is waited for twice as long
