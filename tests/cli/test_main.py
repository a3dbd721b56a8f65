"""The command line as a stranger meets it: one sentence for each bad luck, and no traceback."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(b"k" * 32).decode()


def sishu(*arguments: str, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    unset = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE", "DEBUG", "SECRET_KEY", "SITE_URL"}
    clean = {key: value for key, value in os.environ.items() if key not in unset}
    return subprocess.run(
        [sys.executable, "-m", "sishu.cli.main", *arguments],
        env={**clean, "DATA_DIR": str(data_dir), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """What it said, if it refused as one should: one line on stderr, an exit code, no traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_help_lists_the_commands_of_the_house(tmp_path):
    done = sishu("--help", data_dir=tmp_path)
    assert done.returncode == 0
    assert "Type 'sishu help <subcommand>'" in done.stdout
    for command in ("run", "worker", "doctor", "migrate"):
        assert f"\n    {command}\n" in done.stdout


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_data_folder_that_is_none_of_ours(tmp_path, command):
    (tmp_path / "file").write_text("")
    said = refusal(sishu(command, data_dir=tmp_path / "file" / "data"))
    assert said.startswith(f"Cannot write {tmp_path / 'file' / 'data'}")
    assert "Set DATA_DIR to a folder of yours." in said


@pytest.mark.parametrize("port", ["tea", "0", "99999"])
def test_a_port_that_is_none(tmp_path, port):
    assert (
        refusal(sishu("run", data_dir=tmp_path, PORT=port)) == f"PORT is {port!r}; set it to a number from 1 to 65535."
    )


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(sishu("run", data_dir=tmp_path, PORT=str(port)))
    assert said.startswith(f"Cannot listen on 127.0.0.1:{port}: Address already in use.")
    assert "PORT=8001 make run" in said


@pytest.mark.parametrize("command", [["run"], ["worker", "--once"], ["migrate"]], ids=lambda command: command[0])
def test_a_database_that_does_not_answer(tmp_path, command):
    url = "postgres://sishu:geheim@127.0.0.1:9/sishu"
    said = refusal(sishu(*command, data_dir=tmp_path, DATABASE_URL=url))
    assert "does not answer" in said
    assert "DATABASE_URL" in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "SECRET_KEY is missing or short"),
        ({"SECRET_KEY": "k" * 50}, "ENCRYPTION_KEYS is missing"),
        ({"SECRET_KEY": "k" * 50, "ENCRYPTION_KEYS": f"1:{KEY}"}, "BLIND_INDEX_KEY is missing"),
    ],
)
def test_production_without_a_key(tmp_path, environment, told):
    production = {"DJANGO_SETTINGS_MODULE": "config.settings.production", **environment}
    assert refusal(sishu("run", data_dir=tmp_path, **production)).startswith(told)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("tea", "ENCRYPTION_KEYS has an entry without a version; write 1:KEY, or 2:KEY,1:KEY."),
        (f"0:{KEY}", "ENCRYPTION_KEYS has an entry without a version; write 1:KEY, or 2:KEY,1:KEY."),
        (f"1:{KEY},1:{KEY}", "ENCRYPTION_KEYS names version 1 twice; give the new key a new number."),
        ("1:", "Version 1 of ENCRYPTION_KEYS is empty. Make one: openssl rand -base64 32"),
        ("1:geheim", "Version 1 of ENCRYPTION_KEYS is not base64. Make one: openssl rand -base64 32"),
        ("1:AAAA", "Version 1 of ENCRYPTION_KEYS has 3 bytes instead of 32. Make one: openssl rand -base64 32"),
    ],
)
def test_encryption_keys_that_are_none_are_named_and_not_shown(tmp_path, keys, told):
    assert refusal(sishu("doctor", data_dir=tmp_path, ENCRYPTION_KEYS=keys)) == told
