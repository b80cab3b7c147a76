"""A real browser, and the portal behind a real socket on the test's own database."""

from pathlib import Path
from shutil import which
from threading import Thread

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from tests.support.portal import PASSWORD

# As .ci/need looks for it.
NAMES = ["chromium", "chromium-browser", "google-chrome"]
APPLICATIONS = [Path(f"/Applications/{name}.app") for name in ("Chromium", "Google Chrome")]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-quic"]
AXE = Path(__file__).parent.parent.joinpath("vendor", "axe.min.js").read_text()

# What the browser says by itself of an answer that failed as the test wanted.
EXPECTED = "Failed to load resource: the server responded with a status of 4"


@pytest.fixture(params=["sqlite"])
def database(request):
    """One database is enough here: a browser does not see which it is."""
    return request.getfixturevalue(f"_{request.param}_database")


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=FLAGS)
        yield browser
        browser.close()


def _program():
    installed = [path for path in map(which, NAMES) if path]
    installed += [app / "Contents" / "MacOS" / app.stem for app in APPLICATIONS if app.exists()]
    assert installed, "Chromium is not installed"
    return installed[0]


@pytest.fixture
def server(app):
    """The portal on a free port; `address` is where, `stop()` takes it away."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with PortalServer(app) as server:
        yield server


class PortalServer:
    def __init__(self, app):
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = Thread(target=self._server.serve_forever, name="portal")
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self.stop()

    def stop(self):
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def window(chromium, server):
    """Open a browser window: `window(color_scheme="dark", viewport=…)`. When the test ends, no
    window may have complained in its console, of the policy of contents least of all."""
    contexts, complaints = [], []

    def listen(page):
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if bad(message) else 0)

    def bad(message):
        return message.type in ("error", "warning") and not message.text.startswith(EXPECTED)

    def open_window(**options):
        context = chromium.new_context(base_url=server.address, **options)
        context.set_default_timeout(30_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.on("page", listen)
        contexts.append(context)
        return context.new_page()

    open_window.complaints = complaints
    expect.set_options(timeout=30_000)
    yield open_window
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def at_desk(window, app):
    """A window in which a person has signed in, through the form: `at_desk(rob)`."""

    def sit_down(person, **options):
        app.extensions["sqlalchemy"].session.commit()
        email = person.email
        app.extensions["sqlalchemy"].session.commit()
        page = window(**options)
        page.goto("/login")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/orders")
        return page

    return sit_down


@pytest.fixture
def axe():
    """Everything that axe-core finds on a page, each in a line."""

    def find(page):
        page.evaluate(AXE + ";0")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    return find
