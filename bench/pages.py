"""What a page costs the server: CPU and SQL per request, beside the same page through bare Wagtail and a constant view.

    python -m bench.pages [--requests 1500]

granian with two workers on SQLite, production settings; sixteen clients on the same machine. CPU is the servers' own
(user + system of the process group), so that the clients' share of the cores does not count.
"""

from __future__ import annotations

import argparse
import sys

from bench import world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1500)
    sys.exit(world.run_inside("pages", parser.parse_args().requests))


if __name__ == "__main__":
    main()
