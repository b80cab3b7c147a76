"""One run: every page in turns with the bare one, then resends in turns with raw mails.

The searches for what many orders have come in turns of their own: what these read pushes everything
else out of the processor's caches, and the pages after them take up to a quarter longer.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import imports, pages, resends
from bench.browser import Browser
from bench.installation import Installation, import_file
from bench.pages import Page
from bench.servers import serving_floor, serving_portal
from bench.timing import Times, in_turns
from portal.demo.mail_server import catching_mails

PROFILED_ORDERS = 20_000

FLOOR, SMALL = "the bare page", "the list of the small portal"


@dataclass(frozen=True)
class Measurements:
    """What one run found; `times` by the name of the page, of FLOOR and of SMALL."""

    orders: int
    small_orders: int
    import_seconds: float
    import_parts: dict[str, float]
    pages: list[Page]
    times: dict[str, Times]
    resends: Times
    raw_mails: Times


def measure(portal: Installation, small: Installation, rounds: int) -> Measurements:
    """Measure `portal`, and the list of `small` beside its own."""
    mailbox = portal.folder / "mailbox"
    profiled = min(portal.orders, PROFILED_ORDERS)
    with ExitStack() as stack:
        mail_port = stack.enter_context(catching_mails(mailbox))
        floor = Browser(stack.enter_context(serving_floor(portal)))
        large = Browser(stack.enter_context(serving_portal(portal, mail_port)))
        little = Browser(stack.enter_context(serving_portal(small, mail_port)))
        for browser in (large, little):
            browser.sign_in()
        asked = pages.measured(portal.orders, large)
        deeds = {page.name: partial(_seconds, page, large) for page in asked if page.most}
        deeds[FLOOR] = partial(_seconds, Page(FLOOR, "/"), floor)
        deeds[SMALL] = partial(_seconds, pages.FIRST_PAGE, little)
        common = {page.name: partial(_seconds, page, large) for page in asked if not page.most}
        times = in_turns(deeds, rounds) | in_turns(common, rounds)
        mails = _mail_times(large, mailbox, mail_port, rounds)
    return Measurements(
        orders=portal.orders,
        small_orders=small.orders,
        import_seconds=portal.import_seconds,
        import_parts=imports.where_time_goes(import_file(portal.folder.parent, profiled)),
        pages=asked,
        times=times,
        resends=mails["resend"],
        raw_mails=mails["raw"],
    )


def _seconds(page: Page, browser: Browser) -> float:
    return page.ask(browser).seconds


def _mail_times(browser: Browser, mailbox: Path, port: int, rounds: int) -> dict[str, Times]:
    resend = resends.resend(browser)
    resend()  # the mail that is then sent without the portal
    return in_turns({"resend": resend, "raw": resends.raw(mailbox, port)}, rounds)
