"""A resend as staff does it, beside sending the same mail with `smtplib` alone."""

import re
import smtplib
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from bench.browser import Browser

# Orders that have licenses; what is measured elsewhere is not among the newest of them.
SENDABLE = "/orders?status=paid&delivery=delivered"
ORDER = re.compile(r'href="(/orders/A\d+)"')
QUESTION = r'hx-get="([^"]+/resends/new)"'
TOKEN = r'name="token"[^>]*value="([^"]+)"'


def resend(browser: Browser) -> Callable[[], float]:
    """A deed: open the question for a license, another order each time, and send."""
    orders = ORDER.findall(browser.get(SENDABLE).text)
    questions = cycle([browser.get(path).find(QUESTION) for path in dict.fromkeys(orders)])

    def ask_and_send() -> float:
        address = next(questions)
        question = browser.get(address)
        token = question.find(TOKEN)
        answer = browser.post(address.removesuffix("/new"), {"token": token})
        if answer.status != 200 or " was sent to " not in answer.text:
            raise RuntimeError(f"the license was not sent: {answer.status} {answer.text}")
        return question.seconds + answer.seconds

    return ask_and_send


def raw(mailbox: Path, port: int) -> Callable[[], float]:
    """A deed: send a mail that the portal has sent, on a connection of its own."""
    mail = next((mailbox / "new").iterdir()).read_bytes().replace(b"\r\n", b"\n")
    mail = mail.replace(b"\n", b"\r\n")  # as it was on the way; the mailbox keeps lines its own way

    def send() -> float:
        started = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.sendmail("keydesk@localhost", ["somebody@mail.example"], mail)
        return time.perf_counter() - started

    return send
