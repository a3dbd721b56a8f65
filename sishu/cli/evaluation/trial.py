"""What `sishu recommend evaluate` and `sishu ads evaluate` have in common: options, and one model after the other."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, isfinite
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from sishu.cli.evaluation import isolated
from sishu.cli.evaluation.isolated import Outcome
from sishu.cli.evaluation.progress import Progress
from sishu.estimators.errors import InvalidInput


def add_options(parser: CommandParser, default_models: str) -> None:
    """What both commands understand."""
    parser.add_argument("--models", default="", help=f"names parted by commas; default: {default_models}")
    parser.add_argument("--peers", action="store_true", help="other libraries too (pip install 'sishu[peers]')")
    parser.add_argument("--encoding", type=_encoding, default="utf-8-sig", help="of text files; default: UTF-8")
    parser.add_argument("--seed", type=_seed, default=42)
    parser.add_argument("--seconds", type=_positive, default=600, help="of the processor to search in, each model")
    parser.add_argument("--memory", type=_positive, default=4, help="GiB that a model may take")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _encoding(said: str) -> str:
    try:
        "".encode(said)
    except (LookupError, ValueError) as error:
        raise ArgumentTypeError(f"{said!r} is no encoding of text: write it as utf-8, latin-1 or gb18030.") from error
    return said


def _seed(said: str) -> int:
    if not said.isdecimal():
        raise ArgumentTypeError(f"{said!r} is no seed: give a whole number that is not negative.")
    return int(said)


def _positive(said: str) -> float:
    try:
        number = float(said)
    except ValueError:
        number = 0.0
    if not isfinite(number) or number <= 0:
        raise ArgumentTypeError(f"{said!r} is too little or too much: give a number above zero.")
    return number


def in_bytes(gibibytes: float) -> int:
    return ceil(gibibytes * 2**30)


@contextmanager
def refusals(progress: Progress) -> Iterator[None]:
    """What is wrong with the input ends the command with its sentence."""
    try:
        yield
    except InvalidInput as error:
        progress.clear()
        raise CommandError(str(error)) from error


def run(
    names: Sequence[str],
    attempt: Callable[[Any], Any],
    task: Callable[[str], Any],
    progress: Progress,
    stderr: OutputWrapper,
) -> dict[str, Outcome]:
    """What came of each model's task, in a process of its own. Ctrl-C ends it with those that are done."""
    found: dict[str, Outcome] = {}
    try:
        for number, name in enumerate(names):
            progress.show(number, len(names), name)
            found[name] = isolated.run(attempt, task(name))
    except KeyboardInterrupt:
        progress.clear()
        stderr.write(f"Stopped after {len(found)} of {len(names)} models; this is what was found.")
    progress.clear()
    return found


def refuse_nothing(found: dict[str, Outcome]) -> None:
    """Where no model gave an answer the command has failed; each has said why."""
    if all(outcome.value is None for outcome in found.values()):
        raise CommandError("No model gave an answer.")


def about(found: dict[str, Outcome]) -> dict[str, str]:
    """What models said of their own choice."""
    return {name: outcome.value.about for name, outcome in found.items() if getattr(outcome.value, "about", "")}
