"""The demo as a newcomer meets it: the real command, and a real browser."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
ORDER = "A0005555554"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FLASK_")}
    return kept | {"KEYDESK_INSTANCE": str(folder), "PYTHONPATH": str(ROOT)}


class Demo:
    """`keydesk demo` on a free port, until it is stopped; `said` is what it printed."""

    def __init__(self, folder, *options):
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal", "demo", "--port", str(port), *options],
            env=environment(folder),
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def begin(self):
        """Wait until it has said where it is, and has answered there."""
        while not self.said.endswith("  Ctrl+C ends it.\n"):
            line = self._process.stdout.readline()
            assert line, f"the demo ended by itself: {self.said}"
            self.said += line
        # At once, as whoever clicks on what the terminal says.
        with urlopen(f"{self.address}/login", timeout=60):
            pass

    def stop(self):
        """Ctrl+C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(timeout=30)
        self._process.stdout.close()
        return code


@pytest.fixture
def demo(tmp_path):
    """Start the demo on the folder of this test: `demo("--reset")`."""
    started = []

    def start(*options):
        started.append(Demo(tmp_path, *options))
        started[-1].begin()
        return started[-1]

    yield start
    for one in started:
        one.stop()


def sign_in(chromium, demo, email, **options):
    page = chromium.new_context(base_url=demo.address, **options).new_page()
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("keydesk-demo")
    page.get_by_role("button", name="Sign in").click()
    return page


def test_a_newcomer_sees_a_license_go_out(chromium, demo):
    running = demo()
    assert running.address in running.said
    accounts = re.findall(r"\S+@demo\.example", running.said)
    assert accounts == ["operator@demo.example", "agent@demo.example"]

    page = sign_in(chromium, running, "agent@demo.example")
    page.get_by_role("searchbox", name="Search orders").fill("kowalska@example.o")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=ORDER).click()
    page.evaluate("window.stays = true")
    license = page.get_by_role("listitem", name="license 1 of 2 for DraftLine CAD LT")
    code = license.locator("pre").text_content()
    license.get_by_role("button", name="Resend").click()
    expect(license.get_by_text("kim.kowalska@example.org", exact=True)).to_be_visible()
    license.get_by_role("button", name="Send", exact=True).click()

    history = page.get_by_role("region", name="Order history")
    sent = "The email containing license information was sent to kim.kowalska@example.org"
    expect(history.get_by_role("listitem").first).to_contain_text(sent)
    expect(history.get_by_role("listitem").first).to_contain_text("agent@demo.example")
    assert page.evaluate("window.stays"), "the page was loaded anew"

    page.get_by_role("link", name="Mailbox").click()
    expect(page.get_by_role("article").first).to_contain_text(ORDER)
    expect(page.get_by_role("article").first).to_contain_text("Acme Store <shop@acme.example>")
    assert code in page.get_by_role("article").first.locator("pre").text_content().splitlines()


def pay(running, *options):
    """Tell the demo of a paid order, by the command it named; the address of its page."""
    command = shlex.split(re.search("A paid order comes in: (.*)", running.said).group(1))
    run = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    outcome, _colon, address = run.stdout.strip().partition(": ")
    assert outcome == "The order came in"
    return address


@pytest.mark.parametrize("product", ["1001", "1003"], ids=["web service", "pool"])
def test_a_paid_order_is_delivered_untouched_by_hand(chromium, demo, product):
    running = demo()
    page = sign_in(chromium, running, "agent@demo.example")
    page.goto(pay(running, "--product", product))
    code = page.get_by_role("listitem", name="license for").locator("pre")
    expect(code).to_be_visible()  # by the page's own looking again, if it was not there at once
    history = page.get_by_role("region", name="Order history").get_by_role("listitem")
    expect(history).to_have_count(3)
    expect(history.nth(2)).to_contain_text("The order was paid")
    expect(history.nth(1)).to_contain_text("was received and saved")
    expect(history.nth(0)).to_contain_text("was sent to kim@example.com")
    expect(page.locator("#order-status")).to_contain_text("Delivered")
    license = code.text_content()
    page.goto("/mailbox")
    assert license in page.get_by_role("article").first.locator("pre").text_content().splitlines()


def test_one_item_that_waits_holds_up_itself_alone(chromium, demo):
    running = demo()
    page = sign_in(chromium, running, "agent@demo.example")
    page.goto(pay(running, "--product", "1001", "--product", "1004"))
    expect(page.get_by_role("listitem", name="license for Sentinel")).to_be_visible()
    expect(page.locator("#order-status")).to_contain_text("Not delivered")
    page.get_by_role("button", name="Enter the license").click()
    page.get_by_role("textbox", name="License").fill("OFFICE-BOX-1")
    page.get_by_role("button", name="Save", exact=False).click()
    expect(page.get_by_text("OFFICE-BOX-1")).to_be_visible()
    expect(page.locator("#order-status")).not_to_contain_text("Not delivered")


def test_the_mailbox_shows_an_agent_what_is_theirs(chromium, demo):
    running = demo()
    page = sign_in(chromium, running, "operator@demo.example")
    for shop in ("nordsoft", "acme-store"):
        page.goto(f"/orders?page={shop}&status=paid&delivery=delivered")
        page.locator("tbody a").last.click()
        page.get_by_role("button", name="Resend").first.click()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator(".outcome-sent")).to_be_visible()
    page.goto("/mailbox")
    expect(page.get_by_role("article")).to_have_count(2)
    page = sign_in(chromium, running, "agent@demo.example")
    page.goto("/mailbox")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("article")).to_contain_text("shop@acme.example")


def test_the_mailbox_is_good_to_read_on_a_phone_and_on_a_desk(chromium, demo, axe):
    running = demo()
    # axe-core writes styles of its own, which our policy forbids.
    page = sign_in(chromium, running, "operator@demo.example", bypass_csp=True)
    page.goto("/mailbox")
    assert axe(page) == []
    page.goto(f"/orders/{ORDER}")
    page.get_by_role("button", name="Resend").first.click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".outcome-sent")).to_be_visible()
    page.goto("/mailbox")
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            # Else axe-core sees colours on their way from one scheme to the other.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 844})
            assert axe(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("options", [[], ["--reset"]])
def test_a_second_demo_leaves_the_first_one_alone(demo, tmp_path, options):
    running = demo()
    database = tmp_path / "demo" / "keydesk.db"
    before = database.stat().st_ino
    second = subprocess.run(
        [sys.executable, "-m", "portal", "demo", "--port", str(free_port()), *options],
        env=environment(tmp_path),
        check=False,
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1
    assert second.stderr == (
        f"Error: The demo runs already, at {running.address}. End it there first (Ctrl+C).\n"
    )
    assert database.stat().st_ino == before

    running.stop()
    demo(*options)


def test_the_demo_keeps_its_data_until_it_is_reset(chromium, demo):
    first = demo()
    page = sign_in(chromium, first, "operator@demo.example")
    expect(page.get_by_text("200 orders")).to_be_visible()
    page.goto(f"/orders/{ORDER}")
    page.get_by_role("button", name="Resend").first.click()
    page.get_by_role("button", name="Send", exact=True).click()
    by_us = page.get_by_role("region", name="Order history").get_by_text("operator@demo.example")
    expect(by_us).to_be_visible()
    assert first.stop() == 0

    again = demo()
    page = sign_in(chromium, again, "operator@demo.example")
    page.goto(f"/orders/{ORDER}")
    history = page.get_by_role("region", name="Order history")
    expect(history.get_by_text("operator@demo.example")).to_be_visible()
    again.stop()

    anew = demo("--reset")
    page = sign_in(chromium, anew, "operator@demo.example")
    page.goto(f"/orders/{ORDER}")
    expect(page.get_by_role("region", name="Order history")).to_be_visible()
    expect(page.get_by_text("operator@demo.example")).to_have_count(1)


def test_the_demo_listens_nowhere_else(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "portal", "demo", "--host", "0.0.0.0"],
        check=False, env=os.environ | {"KEYDESK_INSTANCE": str(tmp_path)}, cwd=ROOT,
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr == (
        "Error: The demo listens on 127.0.0.1 only, because its passwords are known to everybody.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_make_starts_it_over_and_tells_it_of_an_order(tmp_path):
    port = str(free_port())
    kept = {name: text for name, text in environment(tmp_path).items() if "MAKE" not in name}
    asked = {"cwd": ROOT, "env": kept | {"PORT": port}, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(["make", "demo", "RESET=1"], start_new_session=True, **asked) as demo:
        try:
            said = ""
            while not said.endswith("  Ctrl+C ends it.\n"):
                line = demo.stdout.readline()
                assert line, f"the demo ended by itself: {said}"
                said += line
            assert f"http://127.0.0.1:{port}" in said
            told = subprocess.run(["make", "demo-order"], check=True, timeout=60, **asked)
            assert f"http://127.0.0.1:{port}/orders/" in told.stdout
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            demo.communicate(timeout=60)
