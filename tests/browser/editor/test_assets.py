"""What must not drift in the sources of the bundle."""

from __future__ import annotations

import json
import re

from tests.browser.editor.site import HERE

ROOT = HERE.parents[2]
ASSETS = ROOT / "sishu/web/assets"


def roles(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+|color-scheme):\s*([^;]+);", block))


def test_both_night_blocks_say_the_same() -> None:
    tokens = (ASSETS / "css/tokens.css").read_text()
    followed = tokens.split(':root:not([data-theme="light"]) {')[1].split("}")[0]
    chosen = tokens.split(':root[data-theme="dark"] {')[1].split("}")[0]
    assert roles(followed) == roles(chosen)


def test_every_part_is_on_the_site() -> None:
    listed = re.findall(r'@import "\./([\w-]+)\.css"', (ASSETS / "css/site.css").read_text())
    by_themselves = {"site", "studio"}  # the studio is Wagtail's pages, with a sheet of their own
    parts = {path.stem for path in (ASSETS / "css").glob("*.css")}
    assert sorted(listed) == sorted(parts - by_themselves)


def test_the_lock_names_no_host_and_the_versions_are_exact() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"].values()
    assert [version for version in wanted if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
