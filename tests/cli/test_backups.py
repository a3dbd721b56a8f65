"""A backup made while others write holds one moment, opens with its key only, and becomes a house again."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import connection, transaction

from sishu.cli import doctor
from sishu.cli.backups import archive, databases, making, rooms
from sishu.cli.backups.errors import BackupError
from sishu.cli.demo.seed import seed
from sishu.core import crypto
from sishu.core.models import SubjectKey
from tests.cli.test_main import ROOT, refusal, sishu
from tests.cli.test_run import lend_tables
from tests.crowd import rush
from tests.factories.accounts import make_user

TOOLS = {"sqlite": "python3", "postgresql": "pg_dump", "mysql": "mariadb-dump"}
pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("transactional_db"),
    pytest.mark.skipif(not shutil.which(TOOLS[connection.vendor]), reason="the server's own programs are not here"),
]
embedded = pytest.mark.skipif(connection.vendor != "sqlite", reason=".ci/run rehearses on the servers")
KEYS = {"ENCRYPTION_KEYS": f"1:{'a' * 43}=", "BLIND_INDEX_KEY": f"{'a' * 43}="}


def ignore(_count: int) -> None:
    """Nobody watches."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with what there is besides the database."""
    (tmp_path / "media" / "pictures").mkdir(parents=True)
    (tmp_path / "media" / "pictures" / "墨.jpg").write_bytes(os.urandom(1_500_000))
    (tmp_path / "media" / "empty").write_bytes(b"")
    for name in ("secret.key", "cache.sqlite3", "generation", ".hidden", "old.sishu-backup"):
        (tmp_path / name).write_bytes(b"not to be found in a backup" * 2)
    (tmp_path / "secret.key").chmod(0o600)
    bank = sqlite3.connect(tmp_path / "sandbox.sqlite3")
    bank.execute("PRAGMA journal_mode=WAL")
    bank.execute("CREATE TABLE charge AS SELECT 990 AS amount")
    bank.commit()
    bank.close()
    return tmp_path


@pytest.fixture
def backup(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return making.make(tmp_path_factory.mktemp("kept") / "one", ignore).path


def test_a_backup_holds_the_data_and_no_key(data_dir, backup, tmp_path_factory):
    make_user("later")
    room = tmp_path_factory.mktemp("room")
    manifest = archive.unpack(backup, room, ignore)
    assert sorted(manifest.files) == ["media/empty", "media/pictures/墨.jpg", "sandbox.sqlite3"]
    assert manifest.tables["accounts_user"] == 0
    assert manifest.migrations == making.applied_migrations()
    picture = "media/pictures/墨.jpg"
    assert (room / "files" / picture).read_bytes() == (data_dir / picture).read_bytes()
    bank = sqlite3.connect(room / "files" / "sandbox.sqlite3")
    assert bank.execute("SELECT amount FROM charge").fetchall() == [(990,)]
    bank.close()
    assert b"not to be found" not in b"".join(path.read_bytes() for path in room.rglob("*") if path.is_file())
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir()] == ["one"]
    assert not list(data_dir.glob(".backup-*"))


@pytest.mark.parametrize("name", ["media/documents/lie.pdf", "media/documents/lie.sqlite3", "notes.txt"])
def test_what_only_looks_like_a_database_is_copied_as_it_is(data_dir, settings, tmp_path_factory, name):
    settings.DATA_DIR, settings.MEDIA_ROOT = data_dir, data_dir / "media"
    lie = b"SQLite format 3\0" + b"and nothing of the kind" * 100
    (data_dir / name).parent.mkdir(exist_ok=True)
    (data_dir / name).write_bytes(lie)
    path = making.make(tmp_path_factory.mktemp("kept") / "one", ignore).path
    room = tmp_path_factory.mktemp("room")
    assert {name, "sandbox.sqlite3"} <= set(archive.unpack(path, room, ignore).files)
    assert (room / "files" / name).read_bytes() == lie


def test_a_backup_into_a_folder_is_named_by_its_time(data_dir, tmp_path_factory):
    made = making.make(tmp_path_factory.mktemp("kept"), ignore)
    assert made.path.name.startswith("sishu-20")
    assert made.path.suffix == ".sishu-backup"


def test_no_backup_is_written_over(backup):
    before = backup.read_bytes()
    with pytest.raises(BackupError, match="Name another file"):
        making.make(backup, ignore)
    assert backup.read_bytes() == before


def test_a_damaged_backup_is_refused_wherever_the_damage_is(backup, tmp_path_factory):
    whole = backup.read_bytes()
    head = whole.index(b"\n", len(archive.FORMAT)) + 1
    damaged = [whole[:length] for length in (0, 20, head, head + 5, len(whole) // 2, len(whole) - 1)]
    for position in (3, 30, head - 8, head, head + 400, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[position] ^= 1
        damaged.append(bytes(changed))
    damaged += [whole + b"\0", b"tea", archive.FORMAT + b"{}\n", archive.FORMAT + b'{"key":"x y","wrapped":"AA=="}\n']
    for number, content in enumerate(damaged):
        backup.write_bytes(content)
        with pytest.raises(BackupError) as refused:
            archive.unpack(backup, tmp_path_factory.mktemp("room"), ignore)
        assert str(backup) in str(refused.value), number


def test_another_key_opens_nothing(backup, settings, tmp_path_factory):
    room = tmp_path_factory.mktemp("room")
    settings.ENCRYPTION_KEYS = {1: b"o" * 32}
    with pytest.raises(BackupError, match="ENCRYPTION_KEYS 1 set here does not open"):
        archive.unpack(backup, room, ignore)
    settings.ENCRYPTION_KEYS = {2: b"o" * 32}
    with pytest.raises(BackupError, match="ENCRYPTION_KEYS 1, which is not set here"):
        archive.unpack(backup, room, ignore)


def test_a_key_for_backups_alone(data_dir, settings, tmp_path_factory):
    settings.BACKUP_KEY = b"b" * 32
    path = making.make(tmp_path_factory.mktemp("kept") / "one", ignore).path
    settings.ENCRYPTION_KEYS = {}
    assert archive.unpack(path, tmp_path_factory.mktemp("room"), ignore).files
    settings.BACKUP_KEY = b""
    with pytest.raises(BackupError, match="opens with BACKUP_KEY, which is not set here"):
        archive.unpack(path, tmp_path_factory.mktemp("room"), ignore)


def test_places_that_take_no_backup_are_named_and_nothing_is_left(data_dir):
    for target in (data_dir / "nowhere" / "one", data_dir / "secret.key" / "one"):
        with pytest.raises(BackupError, match=f"Cannot write {target.parent}"):
            making.make(target, ignore)
    assert not list(data_dir.glob(".backup-*"))


def test_what_a_killed_run_has_left_is_removed_and_nobody_else_reads_the_new_one(data_dir, tmp_path_factory):
    room = tmp_path_factory.mktemp("kept")
    left, second_name = room / ".one.partial", room / "second name"
    left.write_bytes(b"half a backup")
    left.chmod(0o666)
    second_name.hardlink_to(left)
    made = making.make(room / "one", ignore).path
    assert made.stat().st_mode & 0o777 == 0o600
    assert second_name.read_bytes() == b"half a backup"
    assert sorted(path.name for path in room.iterdir()) == ["one", "second name"]


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_no_backup_is_written_through_what_others_put_there(data_dir, tmp_path_factory, kind):
    room = tmp_path_factory.mktemp("kept")
    victim, trap = room / "victim", room / ".one.partial"
    if kind == "folder":
        trap.mkdir()
    elif kind == "pipe":
        os.mkfifo(trap)
    else:
        trap.symlink_to(victim)
    if kind == "link":
        victim.write_bytes(b"tea")
    with pytest.raises(BackupError, match=r"\.one\.partial: File exists. Remove it"):
        making.make(room / "one", ignore)
    assert not (room / "one").exists()
    assert os.path.lexists(trap)
    assert victim.read_bytes() == b"tea" if kind == "link" else not victim.exists()


# --- When it is killed ---------------------------------------------------------------------------

KILLED_AT_ITS_FIRST_PIECE = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from sishu.cli.backups import making, restoring
act = making.make if sys.argv[1] == "backup" else restoring.restore
act(Path(sys.argv[2]), lambda count: os.kill(os.getpid(), signal.SIGKILL))
"""


def start_and_kill(command: str, file: Path, data_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_ITS_FIRST_PIECE, command, str(file)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev", "DATA_DIR": str(data_dir), **KEYS},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def holders(name: str, data_dir: Path) -> list[str]:
    """The files in which somebody's name can be read, other than the database itself."""
    files = (path for path in data_dir.rglob("*") if path.is_file() and not path.name.startswith("sishu.sqlite3"))
    return [str(path) for path in files if name.encode() in path.read_bytes()]


@embedded
@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_nothing_that_can_be_read(data_dir, tmp_path_factory):
    make_user("shen", display_name="Somebody Of Note")
    lend_tables(data_dir)
    target = tmp_path_factory.mktemp("kept") / "one"
    start_and_kill("backup", target, data_dir)
    assert holders("Somebody Of Note", data_dir) == holders("Somebody Of Note", target.parent) == []
    (left,) = data_dir.glob(".backup-*")
    assert (
        doctor.examine(doctor.check_leftovers).problems[0].fact.startswith(f"{left} was left by a run that was killed")
    )
    assert sishu("backup", str(target), data_dir=data_dir, **KEYS).returncode == 0
    assert not list(data_dir.glob(".backup-*"))
    assert doctor.examine(doctor.check_leftovers).is_ok


@embedded
@pytest.mark.slow
@pytest.mark.parametrize("command", [["worker", "--once"], ["restore"]])
def test_what_a_killed_restore_has_left_is_named_and_removed(kept, settings, tmp_path_factory, command):
    settings.DATA_DIR = other = tmp_path_factory.mktemp("other")
    start_and_kill("restore", kept, other)
    (left,) = other.glob(".restore-*")
    assert left.stat().st_mode & 0o777 == 0o700
    assert str(left) in doctor.examine(doctor.check_leftovers).problems[0].fact
    if command == ["restore"]:
        command = ["restore", str(kept)]
    else:
        lend_tables(other)
    done = sishu(*command, data_dir=other, **KEYS)
    assert done.returncode == 0, done.stderr
    assert not left.exists()


def test_a_folder_that_is_in_use_is_no_leftover(data_dir):
    old = data_dir / ".rehearsal-of-an-earlier-version"
    old.mkdir()
    with rooms.room(".restore-") as mine:
        assert not old.exists()
        with rooms.room(".backup-") as other:
            assert rooms.leftovers() == []
            assert mine.is_dir()
            assert other.is_dir()
    assert not mine.exists()


def test_no_copy_of_the_database_has_a_name_while_it_is_dumped(data_dir, tmp_path_factory):
    room, pieces = tmp_path_factory.mktemp("room"), []

    def look(piece: bytes) -> None:
        pieces.append(piece)
        assert list(room.iterdir()) == []

    assert databases.engine().dump(room, look)["accounts_user"] == 0
    assert pieces


def test_a_database_of_many_parts_is_put_together_again(data_dir, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(archive, "PART", 4096)
    path = making.make(tmp_path_factory.mktemp("kept") / "one", ignore).path
    room = tmp_path_factory.mktemp("room")
    manifest = archive.unpack(path, room, ignore)
    assert (room / "database").stat().st_size > 10 * 4096
    assert manifest.database_sha256 == sha256((room / "database").read_bytes()).hexdigest()


# --- While others write ---------------------------------------------------------------------------


def write_pairs(_target: str, count: int) -> int:
    for number in range(count):
        with transaction.atomic():
            crypto.seal(f"pair:{os.getpid()}.{number}", "t.c|1", "")
            crypto.seal(f"other:{os.getpid()}.{number}", "t.c|1", "")
    return count


def back_up(target: str, count: int) -> int:
    return len([making.make(Path(f"{target}{number}"), ignore) for number in range(count)])


def do(act: Callable[[str, int], int], target: str, count: int) -> int:
    return act(target, count)


def test_a_backup_holds_one_moment_while_others_write(data_dir, tmp_path_factory):
    target = str(tmp_path_factory.mktemp("kept") / "b")
    done = rush(do, [(back_up, target, 3), (write_pairs, target, 120), (write_pairs, target, 120)])
    assert sorted(map(str, done)) == ["120", "120", "3"]
    counts = []
    for number in range(3):
        manifest = archive.unpack(Path(f"{target}{number}"), tmp_path_factory.mktemp("room"), ignore)
        counts.append(manifest.tables[SubjectKey._meta.db_table])
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)


# --- The commands ---------------------------------------------------------------------------------


@pytest.fixture
def kept(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a house with people in it, made by the command."""
    make_user("shen", display_name="沈")
    lend_tables(data_dir)
    target = tmp_path_factory.mktemp("kept") / "one"
    done = sishu("backup", str(target), "--json", data_dir=data_dir, **KEYS)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["path"], facts["files"], facts["tables"]["accounts_user"]) == (str(target), 3, 1)
    return target


@embedded
@pytest.mark.slow
def test_what_was_restored_equals_what_was_kept(data_dir, kept, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    done = sishu("restore", str(kept), data_dir=other, **KEYS)
    assert done.returncode == 0, done.stderr
    assert dump(other / "sishu.sqlite3") == dump(data_dir / "sishu.sqlite3")
    for name in ("media/empty", "media/pictures/墨.jpg"):
        assert (other / name).read_bytes() == (data_dir / name).read_bytes()
    assert not (other / ".hidden").exists()
    assert not list(other.glob(".restore-*"))
    said = refusal(sishu("restore", str(kept), data_dir=other, **KEYS))
    assert "is not empty, and a restore writes nothing over" in said


def dump(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    lines = sorted(database.iterdump())
    database.close()
    return lines


@embedded
@pytest.mark.slow
def test_a_restore_that_is_refused_leaves_nothing(kept, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    taken = other / "media" / "empty"
    taken.parent.mkdir()
    taken.write_text("mine")
    assert f"{taken} exists" in refusal(sishu("restore", str(kept), data_dir=other, **KEYS))
    assert "does not open" in refusal(
        sishu("restore", str(kept), data_dir=other, **{**KEYS, "ENCRYPTION_KEYS": f"1:{'b' * 43}="})
    )
    assert "Cannot read /nowhere" in refusal(sishu("restore", "/nowhere", data_dir=other, **KEYS))
    assert taken.read_text() == "mine"
    database = sqlite3.connect(other / "sishu.sqlite3")
    assert database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)
    database.close()


@embedded
def test_a_disk_without_room_is_named(data_dir, tmp_path_factory):
    lend_tables(data_dir)
    target = tmp_path_factory.mktemp("kept") / "one"
    done = subprocess.run(
        [sys.executable, "-m", "sishu.cli.main", "backup", str(target)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev", "DATA_DIR": str(data_dir), **KEYS},
        cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )  # fmt: skip
    assert refusal(done).startswith("CommandError: Cannot ")
    assert list(target.parent.iterdir()) == []
    assert not list(data_dir.glob(".backup-*"))


@embedded
@pytest.mark.slow
def test_the_demo_school_rises_from_its_backup_and_a_damaged_one_does_not(data_dir, tmp_path_factory):
    seed()
    lend_tables(data_dir)
    target = tmp_path_factory.mktemp("kept") / "one"
    assert sishu("backup", str(target), data_dir=data_dir, **KEYS).returncode == 0
    before = {path.name for path in data_dir.iterdir()}
    done = sishu("rehearse-restore", str(target), "--json", data_dir=data_dir, **KEYS)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["is_sound"] is True
    steps = {step["name"]: step["seen"] for step in told["steps"]}
    assert list(steps) == ["restore", "migrate", "doctor", "ledger", "web"]
    assert steps["web"].startswith("/healthz 3 bytes, /readyz ")
    target.write_bytes(target.read_bytes()[:-1])
    failed = sishu("rehearse-restore", str(target), data_dir=data_dir, **KEYS)
    assert failed.returncode == 1
    assert "is damaged" in failed.stderr
    assert {path.name for path in data_dir.iterdir()} <= before | {"secret.key", "sandbox.key", "sishu.sqlite3-wal"}


def test_a_program_that_is_not_installed_is_named(data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="The program pg_dump is not installed"):
        databases.PostgreSQL()._run("pg_dump")
