"""A browser without a screen: pages are read by id and by name, and pressed as a person would.

It follows what a button or a link says (`hx-get`, `hx-post`, `href`, its form), with the form's
hidden fields, and it is quick. What scripts make of the answers is tested in `tests/browser/`.
"""

import contextvars

import pytest

from tests.support.pages import Page

PASSWORD = "correct horse battery staple"


class PlainBrowser:
    """One person's browser with its own cookies; `client` is Flask's test client inside."""

    def __init__(self, app):
        self.client = app.test_client()
        self._session = app.extensions["sqlalchemy"].session

    def open(self, path, *, method="GET", **request):
        """Ask for `path` and follow where the answer leads; arguments as Flask's test client's."""
        # What the test has changed is there for the portal, and the other way round.
        self._session.commit()
        # A request finds nothing of the test's own context, as it would not in a real server.
        response = contextvars.Context().run(
            self.client.open, path, method=method, follow_redirects=True, **request
        )
        self._session.expire_all()
        if redirect := response.headers.get("HX-Redirect"):
            return self.open(redirect)
        return Page(self, response)

    def sign_in(self, email, password=PASSWORD):
        """Sign in through the form of `/login`; the page that answers."""
        page = self.open("/login")
        return page.fill("Email", email).fill("Password", password).press("Sign in")


@pytest.fixture
def stranger(app):
    """The browser of somebody who has not signed in."""
    return PlainBrowser(app)


@pytest.fixture
def signed_in(app):
    """Sign a person in through the form: `signed_in(rob).open("/orders")`."""

    def sign_in(person, password=PASSWORD):
        browser = PlainBrowser(app)
        page = browser.sign_in(person.email, password)
        assert page.status == 200, page.seen
        assert not page.address.startswith("/login"), page.seen
        return browser

    return sign_in
