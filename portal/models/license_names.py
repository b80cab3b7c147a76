"""What licenses are called beside the others of their order."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from flask_babel import gettext as _

if TYPE_CHECKING:
    from portal.models.license import License


def name_of(license: "License") -> str:
    """What one is called."""
    product, count = license.item.product_name, len(license.item.licenses)
    if count == 1:
        return _("license for %(product)s", product=product)
    return _(
        "license %(number)s of %(count)s for %(product)s",
        number=license.position,
        count=count,
        product=product,
    )


def names_of(licenses: Sequence["License"]) -> str:
    """What several of an order are called together: item by item."""
    ordered = sorted(licenses, key=lambda license: (license.item.position, license.position))
    groups = (list(group) for _item, group in groupby(ordered, lambda license: license.item))
    return ", ".join(map(_names_of_item, groups))


def _names_of_item(licenses: Sequence["License"]) -> str:
    item = licenses[0].item
    count, product = len(item.licenses), item.product_name
    if len(licenses) == 1:
        return name_of(licenses[0])
    if len(licenses) == count:
        return _("all %(count)s licenses for %(product)s", count=count, product=product)
    return _(
        "licenses %(numbers)s of %(count)s for %(product)s",
        numbers=_runs([license.position for license in licenses]),
        count=count,
        product=product,
    )


def _runs(numbers: Sequence[int]) -> str:
    """Ascending `numbers` with those in a row as one: '1–3, 5'."""
    runs = (list(run) for _at, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in ends)
