"""`sishu recommend evaluate`: which recommender suits one's own data, and how sure that is."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sishu.cli.evaluation import data, kept, lists, ratings, report, trial
from sishu.cli.evaluation.isolated import Outcome
from sishu.cli.evaluation.lists import Task
from sishu.cli.evaluation.progress import Progress
from sishu.cli.evaluation.tables import Table
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.kinds import RATINGS, TOP_N
from sishu.estimators.split import PROTOCOLS

CROSS_VALIDATION = "cv"


class Command(BaseCommand):
    help = "Try recommenders on a file of interactions and print one table: how good, how dear, how quick."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        evaluate = actions.add_parser("evaluate", help="compare models under one protocol")
        evaluate.add_argument(
            "--interactions", required=True, type=Path, help="CSV, TSV, .inter or Parquet, gzip or not"
        )
        evaluate.add_argument("--items", type=Path, help="what is known of the items: the models of words need it")
        evaluate.add_argument("--protocol", required=True, choices=[*PROTOCOLS, CROSS_VALIDATION])
        evaluate.add_argument("--positive", default="", help="the rows that say yes, as '>=4'; default: every row")
        evaluate.add_argument("--columns", default="", help="what the file calls them: user_id=reader,item_id=work")
        evaluate.add_argument("--fields", default="", help="fields of --items to read; default: all")
        trial.add_options(evaluate, "every one the data allow")

    def handle(self, *_args: Any, **options: Any) -> None:
        progress = Progress(sys.stderr)
        with trial.refusals(progress):
            rows, items = self._read(options, progress)
            names = _models(options, rows, items)
        with tempfile.TemporaryDirectory() as folder:
            kept.write(Path(folder), rows, items)
            task = partial(
                Task, folder=Path(folder), protocol=options["protocol"], seed=options["seed"],
                seconds=options["seconds"], memory=trial.in_bytes(options["memory"]),
            )  # fmt: skip
            found = trial.run(names, _attempt(options), task, progress, self.stderr)
        self._tell(options, rows, found)
        trial.refuse_nothing(found)

    def _read(self, options: dict[str, Any], progress: Progress) -> tuple[Interactions, Items | None]:
        if options["positive"] and options["protocol"] == CROSS_VALIDATION:
            raise InvalidInput("--positive is for lists: under cv every rating is predicted, whatever it says.")
        columns, encoding = data.column_map(options["columns"]), options["encoding"]
        table = Table(options["interactions"], columns, data.ALIASES, encoding=encoding)
        rows = data.read_interactions(table, lambda count: progress.say(f"{count:,} rows read"))
        items = None
        if options["items"]:
            of_items = Table(options["items"], {}, data.ALIASES, encoding=encoding)
            items = data.read_items(of_items, [name for name in options["fields"].split(",") if name])
        if options["protocol"] == CROSS_VALIDATION:
            return rows, items
        if options["positive"]:
            rows = data.positives(rows, options["positive"])
        return (rows.with_catalogue(items.ids) if items and options["protocol"] == "cold" else rows), items

    def _tell(self, options: dict[str, Any], rows: Interactions, found: dict[str, Outcome]) -> None:
        is_cv = options["protocol"] == CROSS_VALIDATION
        lines = (report.rating_rows if is_cv else report.list_rows)(found)
        users, items = rows.shape
        about = trial.about(found)
        if options["json"]:
            whole = {"users": users, "items": items, "rows": len(rows), "protocol": options["protocol"],
                     "seed": options["seed"], "models": report.plain(lines), "about": about}  # fmt: skip
            self.stdout.write(json.dumps(whole, ensure_ascii=False))
            return
        self.stdout.write(
            f"{len(rows):,} rows, {users:,} users, {items:,} items; {options['protocol']}, seed {options['seed']}\n"
        )
        self.stdout.write(report.table(lines))
        for name, said in about.items():
            self.stdout.write(f"\n{name}: {said}")


def _attempt(options: dict[str, Any]) -> Callable[[Task], Any]:
    return ratings.attempt if options["protocol"] == CROSS_VALIDATION else lists.attempt


def _models(options: dict[str, Any], rows: Interactions, items: Items | None) -> list[str]:
    """The names to try. Raises InvalidInput for an unknown one, and says which there are."""
    if options["protocol"] == CROSS_VALIDATION:
        ours, peers = list(RATINGS), list(ratings.PEERS)
    else:
        fitting = [name for name, kind in TOP_N.items() if kind.suits(rows, items, options["protocol"])]
        ours, peers = ["auto", *fitting], list(lists.PEERS)
    chosen = [name.strip() for name in options["models"].split(",") if name.strip()] or ours
    known = {"auto", *TOP_N, *lists.PEERS} if ours[0] == "auto" else {*RATINGS, *ratings.PEERS}
    if unknown := [name for name in chosen if name not in known]:
        raise InvalidInput(f"No model {unknown[0]!r} under {options['protocol']}; there: {', '.join(sorted(known))}.")
    return [*chosen, *(name for name in peers if options["peers"] and name not in chosen)]
