"""docs/reference/payment-faults.md and ledger-probes.md beside the tests they name. A test carries its rows in its name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.docs.reading import ROOT, rows, words

FAULTS, PROBES = "payment-faults.md", "ledger-probes.md"
LAST_FAULT, LAST_PROBE = 71, 21
NOT_YET = re.compile(r"not yet: \S.+")


def functions_in(paths: list[Path]) -> Iterator[ast.FunctionDef]:
    for path in paths:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


def carriers_of_faults() -> dict[int, set[str]]:
    """Row → the tests that carry its number: test_row_08_14_… is of two."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for test in functions_in(sorted((ROOT / "tests").rglob("test_*.py"))):
        if carried := re.match(r"test_row((?:_\d\d)+)_", test.name):
            for number in carried[1].strip("_").split("_"):
                found[int(number)].add(test.name)
    return found


def carriers_of_probes() -> dict[int, set[str]]:
    """Probe → the tests, or cases of a test, that carry its number."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for test in functions_in([ROOT / "tests" / "ledger" / "test_probes.py"]):
        if carried := re.match(r"test_(\d\d)_", test.name):
            found[int(carried[1])].add(test.name)
        for node in (node for decorator in test.decorator_list for node in ast.walk(decorator)):
            if isinstance(node, ast.Constant) and re.match(r"\d\d_", str(node.value)):
                found[int(node.value[:2])].add(f"{test.name}[{node.value}]")
    return found


def test_every_fault_is_tested_or_says_what_it_waits_for():
    table = rows(FAULTS)
    assert [int(row[0]) for row in table] == list(range(1, LAST_FAULT + 1))
    found = carriers_of_faults()
    assert set(found) <= set(range(1, LAST_FAULT + 1))
    for number, _fault, does, tests in table:
        if carriers := found.get(int(number)):
            assert set(words(tests)) == carriers, number
            assert does, number
        else:
            assert NOT_YET.fullmatch(tests), number
            assert not does, number


def test_every_probe_is_on_the_page():
    table = rows(PROBES)
    assert [int(row[0]) for row in table] == list(range(1, LAST_PROBE + 1))
    assert {int(row[0]): set(words(row[3])) for row in table} == carriers_of_probes()
