"""What payments cost, end to end and in their parts.

    python -m bench.payments http [--seconds 1.5] [--database sqlite | postgres://…]
    python -m bench.payments signatures
    python -m bench.payments batches [--database postgres://…]

http: orders through a real server (granian, two workers, production settings) by 1, 8 and 32 clients that are signed in.
The load generator is a process of its own, and signs the notices; the sandbox's bank, a file of its own, takes part in
POST /payment as in the product. CPU is the web processes' own. The worker does not run: what follows a sale (receipts …)
is not in these figures. On PostgreSQL also with WeChat Pay: its provider is paysim, one more process on the same cores,
with real RSA signatures both ways.
signatures: notices verified a second by each gateway beside bare `cryptography` over the same bytes; what is more than
that is reading them: JSON or a form, and with WeChat opening what is sealed.
batches: twenty notices in one transaction beside one by one, through the service layer.

Without --database a PostgreSQL from a wheel is started; its commits are durable (fsync, synchronous_commit). One that is
given must be empty, and is left with what was measured in it.
"""

from __future__ import annotations

import argparse
import sys

from bench import world
from bench.orders import postgres

INSIDE = {"http": "payments", "signatures": "signatures", "batches": "batches"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=INSIDE)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    stores = options.what != "signatures"
    with postgres(options.database if stores else "sqlite") as url:
        code = world.run_inside(INSIDE[options.what], options.seconds, database_url=url, has_tables=stores)
    sys.exit(code)


if __name__ == "__main__":
    main()
