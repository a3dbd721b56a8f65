"""What an order costs: place, start, apply through the service layer, beside the same rows written by hand.

    python -m bench.orders [--seconds 5] [--database sqlite | postgres://…]

Without --database a PostgreSQL from a wheel is started; its commits are durable (fsync, synchronous_commit). The sandbox
bank stands outside: a snapshot that says "captured" is applied as a notice would be, so that what is measured is ours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import world
from tests.postgres import server


@contextmanager
def postgres(url: str) -> Iterator[str]:
    """The database given, or one from a wheel for the length of the run."""
    if url:
        yield "" if url == "sqlite" else url  # the scratch installation's own file
        return
    with server() as own:
        yield own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with postgres(options.database) as url:
        code = world.run_inside("orders", options.seconds, database_url=url)
    sys.exit(code)


if __name__ == "__main__":
    main()
