"""The shape of the house: what the import contract does not see, and what keeps its rooms small and its doors few."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from sishu.core.layers import LAYERS, rank

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "sishu"
# Words that say nothing about what a file holds, and the door that no one sees: signals of our own.
NO_NOUNS = {"utils.py", "util.py", "services.py", "service.py", "helpers.py", "common.py", "misc.py", "signals.py"}
MAX_FILE_LINES = 450
GROUND = -1  # third-party apps: below everything of ours


def sources() -> list[Path]:
    """Every Python file of the product, migrations aside."""
    return sorted(path for path in HOUSE.rglob("*.py") if "migrations" not in path.parts)


def migrations() -> list[Path]:
    return sorted(path for path in HOUSE.glob("*/migrations/*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    """The file as a person finds it: sishu/core/money.py."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


# --- Layers ---------------------------------------------------------------------------------------


def height(model: type[models.Model]) -> int:
    """The rank of the package a model lives in; the ground for models that are not ours."""
    package = model.__module__.split(".")
    return rank(package[1]) if package[0] == "sishu" else GROUND


def arrows() -> Iterator[tuple[str, type[models.Model], type[models.Model]]]:
    """(field, from, to) of each relation that a model of ours declares."""
    for model in apps.get_models():
        if height(model) == GROUND:
            continue
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            if field.related_model is not None:
                yield f"{model._meta.label}.{field.name}", model, field.related_model


def test_keys_point_down():
    wrong = [
        f"{field} points to {to._meta.label}"
        for field, source, to in arrows()
        if height(to) > height(source)
        or (height(to) == height(source) and to.__module__.split(".")[1] != source.__module__.split(".")[1])
    ]
    assert wrong == []


def test_keys_are_looked_at():
    seen = {field for field, _source, _to in arrows()}
    assert {"commerce.Entitlement.user", "ledger.Transfer.journal", "content.ArticlePage.category"} <= seen


def test_the_import_contract_is_the_same_house():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    written = [tuple(part.strip(" ()") for part in re.split(r"[|:]", row)) for row in contract["layers"]]
    assert tuple(written) == LAYERS
    built = {path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists()}
    required = {part.strip() for row in contract["layers"] for part in re.split(r"[|:]", row) if "(" not in part}
    assert required <= built, "a layer that is not built yet stands in parentheses"
    assert built <= {package for row in LAYERS for package in row}


def test_packages_of_one_row_stand_apart():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    assert [row for row in contract["layers"] if ":" in row] == []  # ":" would let them import each other


# --- Files ----------------------------------------------------------------------------------------


def test_files_are_named_by_what_they_hold():
    assert [name_of(path) for path in sources() if path.name in NO_NOUNS] == []


def test_files_hold_one_thing():
    code = [*HOUSE.rglob("*.py"), *(ROOT / "config").rglob("*.py"), *(HOUSE / "web" / "assets").rglob("*.js")]
    code += [*(HOUSE / "web" / "assets").rglob("*.css"), *(ROOT / "tests").rglob("*.py")]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert {name: count for name, count in lengths.items() if count > MAX_FILE_LINES} == {}


# --- Imports --------------------------------------------------------------------------------------


def hidden_imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(function, line) of each import inside a function, except in an AppConfig's ready()."""
    ready = {
        function
        for cls in ast.walk(tree)
        if isinstance(cls, ast.ClassDef) and any(ast.unparse(base).endswith("AppConfig") for base in cls.bases)
        for function in cls.body
        if isinstance(function, ast.FunctionDef) and function.name == "ready"
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function not in ready:
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield function.name, node.lineno


def test_imports_stand_at_the_top():
    hidden = [
        f"{name_of(path)}:{line} in {name}()" for path in sources() for name, line in hidden_imports(tree_of(path))
    ]
    assert hidden == []


def test_a_hidden_import_would_be_seen():
    seen = hidden_imports(ast.parse("class A(AppConfig):\n def ready(self):\n  import a\ndef f():\n  import b\n"))
    assert list(seen) == [("f", 5)]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def top_imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when the module is loaded; what stands under `if TYPE_CHECKING` does not."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        elif isinstance(node, ast.If | ast.Try | ast.With):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def imported(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a file loads."""
    found: set[str] = set()
    for node in top_imports(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        else:
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively; write the whole name"
            # `from package import module` loads the module; `from module import name` loads the module named.
            whole = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= whole if len(whole) == len(node.names) else whole | ({node.module or ""} & known)
    return found - {module_of(path)}


def packages() -> list[str]:
    return sorted(path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists())


@pytest.mark.parametrize("package", packages())
def test_no_package_runs_in_a_circle(package):
    files = [path for path in sources() if path.relative_to(HOUSE).parts[0] == package]
    known = {module_of(path) for path in files}
    graph = {module_of(path): imported(path, known) for path in files}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))


# --- Migrations -----------------------------------------------------------------------------------


def test_migrations_say_what_they_do():
    named = re.compile(r"\d{4}_(?!auto_\d)[a-z][a-z0-9_]*\.py")
    assert [name_of(path) for path in migrations() if not named.fullmatch(path.name)] == []


def test_migrations_of_data_stand_alone():
    """Code that a migration of data imports has changed by the time somebody runs it."""
    wrong = []
    for path in migrations():
        names = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        if "RunPython" not in names:
            continue
        for node in ast.walk(tree_of(path)):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            wide = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] in {"sishu", "config"} for name in [module, *wide]):
                wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == []


def test_nobody_makes_a_gateway_past_the_kept_keys():
    """Only `merchants` joins the environment's keys and those entered in the studio."""
    past = re.compile(r'plugins\.\w+\("gateways"')
    assert [name_of(path) for path in HOUSE.rglob("*.py") if past.search(path.read_text(encoding="utf-8"))] == []
