"""What was measured, as Markdown."""

import os
import platform
from collections.abc import Iterator

from bench.measurements import FLOOR, SMALL, Measurements
from bench.pages import FIRST_PAGE
from bench.timing import Times

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def machine() -> str:
    """What it was measured on, and how busy that was when it began."""
    load, _, _ = os.getloadavg()
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}; load at the start {load:.1f}."
    )


def section(kind: str, found: Measurements) -> str:
    """The results on one database."""
    return "\n".join([f"\n### {NAMES[kind]}, {found.orders:,} orders\n", *_lines(found)])


def _lines(found: Measurements) -> Iterator[str]:
    floor = found.times[FLOOR]
    yield "| page | p50 | p99 | p50, ratio | p99, ratio | at most | |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    yield _row(FLOOR, floor, floor, None)
    for page in found.pages:
        yield _row(page.name, found.times[page.name], floor, page.most)
    first, deep = found.pages[1], found.pages[2]
    yield ""
    yield "| compared | p50, ratio | p99, ratio | at most | |"
    yield "| --- | ---: | ---: | ---: | --- |"
    one, other = floor.halves()
    yield _comparison("noise: the bare page, with itself", one, other, None)
    yield _comparison(
        f"{deep.name}, with the first page", found.times[deep.name], found.times[first.name], 1.2
    )
    yield _comparison(
        f"list of {found.orders:,} orders, with one of {found.small_orders:,}",
        found.times[FIRST_PAGE.name],
        found.times[SMALL],
        1.2,
    )
    yield _comparison(
        f"resend, with `smtplib` alone ({_ms(found.raw_mails.p50)})",
        found.resends,
        found.raw_mails,
        None,
    )
    yield ""
    yield _import_line(found)


def _import_line(found: Measurements) -> str:
    parts = ", ".join(f"{part} {share:.0%}" for part, share in found.import_parts.items())
    speed = found.orders / found.import_seconds
    return (
        f"Import: {speed:,.0f} orders a second (at least 10,000 {_mark(speed >= 10_000)}), "
        f"{found.import_seconds:,.0f} seconds in all. Its time on SQLite: {parts}."
    )


def _row(name: str, times: Times, floor: Times, most: float | None) -> str:
    ratios = _ratios(times, floor, most)
    return f"| {name} | {_ms(times.p50)} | {_ms(times.p99)} | {ratios} |"


def _comparison(name: str, times: Times, other: Times, most: float | None) -> str:
    return f"| {name} | {_ratios(times, other, most)} |"


def _ratios(times: Times, unit: Times, most: float | None) -> str:
    ratio = times.p50 / unit.p50
    mark = "" if most is None else _mark(ratio <= most)
    return f"{ratio:.2f} | {times.p99 / unit.p99:.2f} | {most or ''} | {mark}"


def _mark(reached: bool) -> str:
    return "reached" if reached else "missed"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
