"""What the house is built from: licences that let anyone run and change it, and locks that name no address."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))

# GPL and AGPL by any spelling, but not LGPL: an unchanged library next to us, such as psycopg, is fine.
STRONG_COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\b(?:A?GPL|GNU (?:Affero )?General Public)", re.IGNORECASE)
# What may be bundled into the site's own files.
PERMISSIVE = {"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Python-2.0", "OFL-1.1", "CC0-1.0"}

# Put together here, so that this file does not hold what it looks for.
MACHINE_PATHS = tuple("/" + name + "/" for name in ("home", "root", "work", "Users"))
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "python" + "hosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "npmmirror", "com"),
        ("pypi", "tuna", "tsinghua", "edu", "cn"),
        ("mirrors", "aliyun", "com"),
    )
)


def locked(lock: str) -> list[str]:
    """The names in a requirements lock."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / lock).read_text(), re.MULTILINE)


def licence_of(about: Any) -> str:
    """Everything a distribution says about its licence, in one line. A whole licence text counts by its first line."""
    told = [about.get("License-Expression") or "", (about.get("License") or "").strip().partition("\n")[0]]
    told += [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    return "; ".join(filter(None, told))


def installed(names: list[str]) -> dict[str, str]:
    """name → licence, of those that this machine has; markers keep some away."""
    found = {}
    for name in names:
        try:
            found[name] = licence_of(metadata.metadata(name))
        except metadata.PackageNotFoundError:
            continue
    return found


def test_nothing_at_run_time_is_strong_copyleft():
    licences = installed(locked("requirements.lock"))
    assert len(licences) > 40, "the environment is not the one of requirements.lock"
    assert {name: text for name, text in licences.items() if not text} == {}
    assert {name: text for name, text in licences.items() if STRONG_COPYLEFT.search(text)} == {}


@pytest.mark.parametrize(
    ("text", "is_strong"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0", True),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT", False),
    ],
)
def test_strong_copyleft_is_told_from_lesser(text, is_strong):
    assert bool(STRONG_COPYLEFT.search(text)) == is_strong


def test_the_gpl_image_codec_stays_out():
    """Wagtail asks for it; its wheels carry GPL-2.0 codecs. Pictures open without it."""
    names = {name.lower().replace("_", "-") for lock in LOCKS for name in locked(lock)}
    assert "pillow-heif" not in names
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.metadata("pillow-heif")


def test_what_the_browser_gets_is_permissive():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    licences = {path: about.get("license", "none told") for path, about in packages.items()}
    assert {path: licence for path, licence in licences.items() if licence not in PERMISSIVE} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_python_locks_name_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    assert [mark for mark in ("://", "--index-url", "--find-links") if mark in text] == []
    for entry in re.split(r"\n(?=\S)", text):
        assert entry.startswith("#") or not entry.strip() or "--hash=sha256:" in entry, entry


def test_the_npm_lock_names_hashes_and_no_address():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for path, about in packages.items():
        if not path:
            continue
        assert "resolved" not in about, f"{path}: .npmrc should have kept its address out"
        assert about.get("integrity", "").startswith("sha512-"), path
        # "funding" says where to thank the author; nothing is fetched from there.
        rest = {key: value for key, value in about.items() if key != "funding"}
        assert "://" not in json.dumps(rest), path


def tracked() -> list[Path]:
    """The files of the repository that are text."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone: what belongs to the repository cannot be told")
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def test_no_file_knows_a_machine_or_a_registry():
    wrong = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            # A path of a web address, "/en/works", is not a path of a machine.
            found = [mark for mark in MACHINE_PATHS if re.search(rf"(?<![\w.{{}}%-]){mark}\w", line)]
            found += [host for host in REGISTRY_HOSTS if host in line]
            wrong += [f"{path.relative_to(ROOT)}:{number} has {mark}" for mark in found]
    assert wrong == []
