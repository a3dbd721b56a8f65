"""The documentation says what the code does: settings, commands, facts, plug-ins and triggers, compared both ways.

Pages with more to compare have a file of their own in tests/docs.
"""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import environ
import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from config.settings import gateways, plugins
from sishu.cli.main import module_name
from sishu.core.layers import LAYERS
from sishu.ledger import triggers
from sishu.reactions.table import TABLE
from tests.docs.reading import DOCS, REFERENCE, ROOT, rows, words

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
MAX_PICTURES_BYTES = 3 * 1024 * 1024


def pages() -> list[Path]:
    """Everything a person reads about the house."""
    return [*READMES, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


# --- Settings -------------------------------------------------------------------------------------


def environment_reads() -> Iterator[tuple[str, object]]:
    """(name, default if it is written there) of every environment variable that the code reads."""
    for path in [*(ROOT / "config").rglob("*.py"), *(ROOT / "sishu").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner, first = ast.unparse(node.func.value), node.args[0] if node.args else None
                if owner in {"env", "os.environ", "os"} and isinstance(first, ast.Constant) and _is_name(first.value):
                    given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "default")]
                    yield first.value, given[0].value if given and isinstance(given[0], ast.Constant) else None
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                yield ast.literal_eval(node.slice), None
            elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
                yield ast.literal_eval(node.left), None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", value) is not None


def test_every_setting_is_on_the_page():
    written = [words(row[0])[0] for row in rows("settings.md")]
    assert len(written) == len(set(written))
    assert set(written) == {name for name, _default in environment_reads()}


def test_defaults_of_settings_are_those_of_the_code():
    cells = {words(row[0])[0]: row[1] for row in rows("settings.md")}
    shown = {False: "off", True: "on", "": "empty"}
    for name, default in environment_reads():
        if default is not None:
            text = shown[default] if isinstance(default, bool) or default == "" else f"`{default}`"
            assert text in cells[name], name


# --- Commands -------------------------------------------------------------------------------------


def own_commands() -> dict[str, BaseCommand]:
    found = {name: app for name, app in get_commands().items() if isinstance(app, str) and app.startswith("sishu.")}
    return {name: load_command_class(app, name) for name, app in found.items()}


def own_options(command: BaseCommand, name: str) -> set[str]:
    """The options and actions a command has beside those of every Django command."""

    def options(parser: ArgumentParser) -> set[str]:
        found = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
        for action in parser._actions:
            if isinstance(action, _SubParsersAction):
                found |= {f"sishu {name} {choice}" for choice in action.choices}
                found |= {option for each in action.choices.values() for option in options(each)}
        return found

    return options(command.create_parser("sishu", name)) - options(BaseCommand().create_parser("sishu", name))


def test_every_command_is_on_the_page():
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## `sishu (\w+)`$", text, re.MULTILINE)) == set(own_commands())


@pytest.mark.parametrize("name", sorted(own_commands()))
def test_every_option_is_on_the_page(name):
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    section = text.partition(f"## `sishu {name}`\n")[2].partition("\n## ")[0]
    command = own_commands()[name]
    wanted = own_options(command, name)
    assert {option for option in wanted if option not in section} == set()
    known = wanted | {"--traceback", "--json"}
    assert {option for option in re.findall(r"--[a-z][a-z-]+", section) if option not in known} == set()


# --- Facts, plug-ins, triggers --------------------------------------------------------------------


def test_the_table_of_facts_is_the_code():
    written = {words(row[0])[0]: (words(row[1]), words(row[2])) for row in rows("facts.md")}
    assert written == {
        fact.__name__: ([field.name for field in fields(fact)], [reaction.__name__ for reaction in reactions])
        for fact, reactions in TABLE.items()
    }


def test_every_plugin_is_on_the_page():
    written = [(words(row[0])[0], words(row[1])[0]) for row in rows("plugins.md")]
    known = {"gateways": gateways.options(environ.Env()), **plugins.ALL}
    assert written == [(kind, name) for kind, named in known.items() for name in named]


def test_every_trigger_is_on_the_page():
    vendors = {"all": {"sqlite", "postgresql", "mysql"}, "SQLite": {"sqlite"}, "PostgreSQL": {"postgresql"}}
    found = [row for row in rows("database-notes.md") if words(row[0]) and words(row[0])[0].startswith("ledger_")]
    for vendor in ("sqlite", "postgresql", "mysql"):
        written = {words(row[0])[0] for row in found if vendor in vendors[row[2]]}
        assert written == triggers.expected(vendor), vendor


# --- Pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|href|srcset)=\"([^\"#]+)\"", text)
    local = [one for pair in targets for one in pair if one and "://" not in one and not one.startswith("mailto:")]
    assert [target for target in local if not (path.parent / target).exists()] == []


def test_the_map_shows_every_page():
    mapped = (DOCS / "index.md").read_text(encoding="utf-8")
    shown = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)", mapped)}
    assert {path for path in DOCS.rglob("*.md") if path.name != "index.md"} <= shown


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_that_pages_name_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(
        [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]
    )
    assert set(re.findall(r"^(?:sudo -u \w+ |\w+=\S+ )*make ([a-z]+)\b", code, re.MULTILINE)) <= targets
    named = re.findall(r"^(?:sudo -u \w+ |\w+=\S+ )*(?:\.venv/bin/)?sishu ([a-z][a-z_-]*)\b", code, re.MULTILINE)
    assert {module_name(name) for name in named} <= set(get_commands())


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_pages_name_exist(path):
    named = re.findall(
        r"`((?:sishu|tests|config|docs|deploy|bench|\.ci)/[\w./-]*)(?:::\w+)?`", path.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_picture_shows_the_layers_as_they_are(path):
    picture = path.read_text(encoding="utf-8").partition("subgraph layers")[2].partition("\n  end")[0]
    labels = re.findall(r'\w\["([^":：]+)', picture)
    built = [[name for name in row if (ROOT / "sishu" / name).is_dir()] for row in LAYERS]
    assert [re.findall(r"[a-z]+", label) for label in labels] == [row for row in built if row]


def test_both_languages_have_the_same_parts():
    tutorial = DOCS / "tutorial" / "first-paid-article.md"
    for english, chinese in (READMES, (tutorial, tutorial.with_suffix(".zh-CN.md"))):
        parts = [re.findall(r"^#+ ", path.read_text(encoding="utf-8"), re.MULTILINE) for path in (english, chinese)]
        assert parts[0] == parts[1], english.name
        blocks = [
            re.findall(r"^```sh\n(.*?)^```", p.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
            for p in (english, chinese)
        ]
        assert blocks[0] == blocks[1], english.name


def test_decisions_are_numbered_and_have_their_parts():
    files = sorted((DOCS / "adr").glob("*.md"))
    assert [path.name[:4] for path in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    for path in files:
        text = path.read_text(encoding="utf-8")
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], path.name
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than a page"


def test_pictures_are_light_and_shown():
    pictures = list((DOCS / "images").glob("*.png"))
    assert sum(path.stat().st_size for path in pictures) <= MAX_PICTURES_BYTES
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages())
    shown = set(re.findall(r"docs/images/([\w.-]+\.png)", text))
    assert len(shown) >= 4
