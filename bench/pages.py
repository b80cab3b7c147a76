"""The pages that are measured, by name, with the most that each may cost."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from bench import orders
from bench.browser import Answer, Browser

DEPTH = 100_000

LICENSE = r'<pre id="license-\d+-text"[^>]*>([^<]+)</pre>'


@dataclass(frozen=True)
class Page:
    """A page by its `path`, or by what is typed into the search box and sent to /searches.

    `most` is what it may take at the median, in units of the bare page; None where there is no
    target. A search that one order fits leads there, so it may answer with 303.
    """

    name: str
    path: str
    most: float | None = None
    typed: str = ""

    def ask(self, browser: Browser) -> Answer:
        """Ask for it once. Raises RuntimeError where it is not answered as it should be."""
        answer = (
            browser.post(self.path, {"q": self.typed}) if self.typed else browser.get(self.path)
        )
        if answer.status not in (200, 303):
            raise RuntimeError(f"{self.name} was answered with {answer.status}: {answer.text}")
        return answer


def _search(name: str, most: float | None = 6, **fields: str | list[str]) -> Page:
    return Page(name, f"/orders?{urlencode(fields, doseq=True)}".rstrip("?"), most)


FIRST_PAGE = _search("list")


def order_page(count: int) -> Page:
    """An order with one item and one license, in the middle of `count`."""
    return Page("order page", f"/orders/{orders.number_of(orders.rare_index(count))}", 5)


def deep_page(count: int) -> Page:
    """The list some 100,000 of the agent's orders before the newest, or a quarter of all."""
    depth = min(DEPTH, count // 4)
    moment = orders.NEWEST - timedelta(minutes=4 * depth)  # the agent sees every other order
    return _search(f"list at depth {depth:,}", after=f"{moment:%Y-%m-%dT%H:%M:%SZ}_0")


def searches(count: int, license: str) -> list[Page]:
    """Each kind of search, with words that few of `count` orders have; `license` is of one."""
    index = orders.rare_index(count)
    numbers = " ".join(orders.number_of(index + step) for step in range(20))
    day = str((orders.NEWEST - timedelta(minutes=count)).date())
    first_name, last_name = orders.RARE_NAME
    return [
        _search("number, leads to its order", q=orders.number_of(index)),
        _search("20 numbers", q=numbers),
        _search("part of an e-mail", q=f".{last_name[:8].lower()}"),
        _search("name", q=f"{first_name} {last_name}"),
        _search("company", q=orders.RARE_COMPANY),
        _search("external id", q=f"EXT-{(index + 31_190) % min(count, 100_000):05}"),
        _search("external id of zeros", q="EXT-00000"),
        _search("product", q=orders.RARE_PRODUCT[2]),
        Page("license, leads to its digest", "/searches", 6, typed=license),
        _search("last six of a license", q=orders.RARE_CODE_END),
        _search("created on one day", created_from=day),
        _search("paid on one day", paid_from=day),
        _search("not paid or deleted", status=["not paid", "deleted"]),
        _search("delivered", delivery="delivered"),
        _search("not delivered", delivery="not delivered"),
        _search("two letters, in many orders", None, q="öz"),
        _search("a name, in many orders", None, q="fischer"),
    ]


def measured(count: int, browser: Browser) -> list[Page]:
    """All of them."""
    order = order_page(count)
    license = order.ask(browser).find(LICENSE)
    return [order, FIRST_PAGE, deep_page(count), *searches(count, license)]
