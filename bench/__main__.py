"""python -m bench: fill, serve, measure, and print what goes into the README."""

import argparse
from pathlib import Path

from bench import report
from bench.installation import filled
from bench.measurements import measure

DATA = Path(__file__).parent / "data"
KINDS = ("sqlite", "postgresql")


def main() -> None:
    options = _options()
    print(report.machine())
    small_count = max(options.orders // 100, 1)
    for kind in options.database:
        with filled(options.folder, kind, options.orders, small_count) as (portal, small):
            print(report.section(kind, measure(portal, small, options.rounds)), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="how many (1000000)")
    parser.add_argument(
        "--rounds", type=int, default=200, help="times each page is asked for (200)"
    )
    parser.add_argument(
        "--database", choices=KINDS, nargs="+", default=KINDS, help="which databases (both)"
    )
    parser.add_argument("--folder", type=Path, default=DATA, help="keeps the data (bench/data)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
