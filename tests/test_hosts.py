"""A page of somebody else's cannot have a browser ask the portal under a name of its own."""

import pytest
from flask.testing import EnvironBuilder
from werkzeug.test import run_wsgi_app

once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVIL = "rebound.evil.example"


def ask(app, host, path="/login", **headers):
    return app.test_client().get(path, headers={"Host": host} | headers)


@once
@pytest.mark.settings(PORTAL_URL="https://keydesk.example.com/", PORTAL_HOSTS="hooks.example.com x")
@pytest.mark.parametrize(
    "host",
    [
        "keydesk.example.com", "KEYDESK.example.com:443", "hooks.example.com", "x:8080",
        "localhost:5000", "127.0.0.1:5000", "10.0.0.5", "[::1]:5000", "[2001:db8::5]",
    ],
)  # fmt: skip
def test_the_portal_is_asked_by_its_names_and_by_the_number_of_its_machine(app, host):
    assert ask(app, host).status_code == 200


@once
@pytest.mark.settings(PORTAL_URL="https://keydesk.example.com/")
@pytest.mark.parametrize(
    "host",
    [EVIL, f"{EVIL}:5000", "a.keydesk.example.com", "example.com", "localhost.evil.example",
     "127.0.0.1.evil.example", "127.0.0.1:5000@evil.example", "[::1", "a b", ""],
)  # fmt: skip
def test_any_other_name_is_refused(app, host):
    for path in ("/login", "/static/portal.css", "/nothing", "/"):
        answer = ask(app, host, path)
        assert answer.status_code == 400
        assert "The portal is not known by this name" in answer.text
        assert "Set-Cookie" not in answer.headers


@once
def test_a_program_and_a_fragment_are_refused_in_their_ways(app):
    api = ask(app, EVIL, "/api/v1/orders/A0005555555")
    assert (api.status_code, api.json["error"]) == (400, "unknown_host")
    fragment = ask(app, EVIL, "/orders", **{"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Retarget"]) == (400, "#notice")


@once
@pytest.mark.settings(DEMO=True)
def test_a_page_elsewhere_cannot_use_the_demo_under_a_name_of_its_own(app):
    assert ask(app, "127.0.0.1:5000").status_code == 200
    assert ask(app, f"{EVIL}:5000").status_code == 400


@once
def test_a_health_check_without_any_name_is_answered(app):
    environ = EnvironBuilder(app, path="/login").get_environ()
    environ.pop("HTTP_HOST")
    _body, status, _headers = run_wsgi_app(app, environ, buffered=True)
    assert status == "200 OK"


@once
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_demo_is_served_on_loopback_only(keydesk, host):
    run = keydesk.run("serve", "--host", host, FLASK_DEMO="true")
    assert run.returncode == 1
    assert run.stderr == (
        "Error: The demo listens on 127.0.0.1 only, because its passwords are known to everybody.\n"
    )
