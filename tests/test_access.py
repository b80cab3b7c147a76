"""Who is asking, and what is theirs."""

import pytest
from flask import g

from portal.access import current_staff, token_only
from portal.extensions import db


@pytest.fixture
def told(app):
    """A page of the API that tells who asks."""

    @token_only(may="resend")
    def told():
        return {"email": current_staff.email}

    app.add_url_rule("/api/v1/told", view_func=told, methods=["GET", "POST"])
    return "/api/v1/told"


@pytest.fixture
def token(rob):
    token = rob.renew_token()
    db.session.commit()
    return token


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_says_who_is_asking(stranger, told, token, method):
    answer = stranger.open(told, method=method, headers=bearer(token))
    assert answer.status == 200
    assert answer.response.json == {"email": "rob@example.com"}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer("wrong"),
        bearer("keydesk_" + "x" * 43),
        {"Authorization": "Bearer"},
        {"Authorization": "Basic cm9iQGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2U="},
        bearer("\N{SNOWMAN}".encode().decode("latin-1")),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_good_token_the_api_says_401(stranger, told, token, method, headers):
    answer = stranger.open(told, method=method, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer realm=Keydesk"
    assert answer.response.json == {
        "error": "unauthorized",
        "because": "Who is asking is not known. Sign the request with the header "
        "“Authorization: Bearer” and a token.",
    }


def test_a_session_does_not_open_the_api(signed_in, ada, told):
    assert signed_in(ada).open(told).status == 401


def test_a_token_outweighs_a_session(signed_in, ada, told, token):
    answer = signed_in(ada).open(told, headers=bearer(token))
    assert answer.response.json == {"email": "rob@example.com"}


def test_a_token_does_not_open_the_pages(stranger, order, token):
    page = stranger.open("/orders/A0005555555", headers=bearer(token))
    assert page.address.startswith("/login")


def test_somebody_who_was_removed_has_no_token(stranger, rob, told, token):
    rob.remove()
    assert stranger.open(told, headers=bearer(token)).status == 401


@pytest.mark.settings(LOGIN_LIMIT_ADDRESS="3 per 10 minutes")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_tokens_are_counted_by_address(stranger, told, token, method):
    for guess in range(3):
        assert stranger.open(told, headers=bearer(f"guess {guess}"), method=method).status == 401
    answer = stranger.open(told, headers=bearer(token), method=method)
    assert answer.status == 429
    assert 590 < int(answer.headers["Retry-After"]) <= 600
    assert answer.response.json["error"] == "too_many_requests"


@pytest.mark.settings(API_LIMIT="2 per minute", LOGIN_LIMIT_ADDRESS="1 per minute")
def test_the_requests_of_one_token_are_counted(stranger, ada, told, token):
    assert [stranger.open(told, headers=bearer(token)).status for _ in range(3)] == [200, 200, 429]
    other = ada.renew_token()
    assert stranger.open(told, headers=bearer(other)).status == 200


def test_a_test_finds_no_person_of_a_request(stranger, told, token):
    stranger.open(told, headers=bearer(token))
    assert "_login_user" not in g
