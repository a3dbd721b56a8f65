"""Many buyers and the worker on one SQLite file: does anybody ever meet a locked database, and how long is the wait?

    python -m bench.contention [--buyers 16] [--seconds 60]

Each buyer is a process that places, starts, pays at the sandbox and applies, as fast as it can; the worker delivers
facts and runs jobs meanwhile. Writes a JSON line; exits 1 on any "locked" error or when the books disagree.
"""

from __future__ import annotations

import argparse
import sys

from bench import world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buyers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    sys.exit(world.run_inside("contention", options.buyers, options.seconds))


if __name__ == "__main__":
    main()
