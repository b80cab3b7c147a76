"""One question about orders: what was typed and ticked, and the address that asks it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Self
from urllib.parse import urlencode

from portal.models.order_status import OrderStatus
from portal.search.cursor import Cursor
from portal.search.days import Days
from portal.search.typed import Typed
from portal.vault import vault

# Longer addresses are refused by some servers and proxies.
ADDRESS_LENGTH = 8_000


@dataclass(frozen=True)
class Search(Typed):
    """What is looked for. All that is filled must hold; of the ticked statuses, one.

    `license` is the keyed digest of a license in hexadecimal, or several with blanks between,
    which stand for the licenses themselves in addresses.
    """

    license: str = ""
    created: Days = field(default_factory=Days)
    paid: Days = field(default_factory=Days)
    statuses: tuple[OrderStatus, ...] = ()
    delivered: bool | None = None
    page: str = ""
    cursor: Cursor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked, so that every order is an answer."""
        return replace(self, cursor=None) == Search()

    @property
    def takes_all(self) -> bool:
        """Whether every order of its checkout pages is an answer."""
        return replace(self, cursor=None, page="") == Search()

    @property
    def has_filters(self) -> bool:
        """Whether anything but the search box is filled."""
        return replace(self, cursor=None, q="", license="") != Search()

    @cached_property
    def digests(self) -> list[bytes]:
        """What a license asked for may have as `License.digest`."""
        if self.license:
            return [bytes.fromhex(digest) for digest in self.license.split()]
        return list(dict.fromkeys(map(vault().digest, self.license_texts)))

    @cached_property
    def tail_digests(self) -> list[bytes]:
        """What it may have as `License.tail_digest`."""
        found = map(vault().tail_digests, self.license_texts)
        return list(dict.fromkeys(chain.from_iterable(found)))

    def for_licenses(self, digests: Sequence[bytes] = ()) -> Self:
        """The same question with the licenses in the box replaced by their `digests`, or by that of
        all that was typed."""
        digests = digests or [vault().digest(self.q)]
        license = " ".join(digest.hex() for digest in digests)
        return replace(self, q="", license=license, cursor=None)

    @property
    def without_filters(self) -> Self:
        """The same words, and nothing else."""
        return replace(type(self)(), q=self.q, license=self.license)

    def at(self, cursor: Cursor | None) -> Self:
        """The same question at another place of its list."""
        return replace(self, cursor=cursor)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What stands in the address that asks this question."""
        several = self.numbers if len(self.numbers) > 1 else []
        pairs: Mapping[str, object] = {
            "q": " ".join(map(str, several)) or self.q,
            "license": self.license,
            "created_from": self.created.first,
            "created_to": self.created.last,
            "paid_from": self.paid.first,
            "paid_to": self.paid.last,
        }
        filled = [(name, str(value)) for name, value in pairs.items() if value]
        filled += [("status", status.value) for status in self.statuses]
        if self.delivered is not None:
            filled.append(("delivery", "delivered" if self.delivered else "not delivered"))
        if self.page:
            filled.append(("page", self.page))
        if self.cursor:
            filled.append(("before" if self.cursor.backwards else "after", str(self.cursor)))
        return filled

    def address(self, path: str) -> str:
        """`path` with this question."""
        return f"{path}?{urlencode(self.parameters)}" if self.parameters else path

    @property
    def is_too_long(self) -> bool:
        """Whether no address can ask this question."""
        return len(self.address("")) > ADDRESS_LENGTH
