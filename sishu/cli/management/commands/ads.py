"""`sishu ads evaluate`: which click model suits one's own log, and what another policy would have earned on it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sishu.cli.evaluation import clicks, data, kept, log_formats, logs, report, trial
from sishu.cli.evaluation.clicks import TEST, TRAIN, Task
from sishu.cli.evaluation.isolated import Outcome
from sishu.cli.evaluation.log_formats import Asked
from sishu.cli.evaluation.progress import Progress
from sishu.cli.evaluation.tables import Table
from sishu.estimators import columns, intervals, ope
from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput
from sishu.estimators.kinds import CLICKS


@dataclass(frozen=True)
class _Read:
    """The logs with what is to be said of them, and those of the target policies."""

    logs: Sequence[ClickLog]
    targets: Sequence[ClickLog]
    remarks: Sequence[str]


class Command(BaseCommand):
    help = "Try click models on a log of what was shown and print one table: how good, how dear, how quick."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        evaluate = actions.add_parser("evaluate", help="compare models on the later rows of the logs")
        evaluate.add_argument(
            "--log", required=True, type=Path, action="append", help="text or Parquet, gzip or not; may be repeated"
        )
        evaluate.add_argument("--format", required=True, choices=log_formats.FORMATS)
        evaluate.add_argument("--target", type=Path, action="append", help="log of another policy: one for each --log")
        evaluate.add_argument(
            "--items", type=Path, action="append", help="obd: the item context, for all or one for each --log"
        )
        evaluate.add_argument("--click", default="", help="csv: the column of clicks")
        evaluate.add_argument(
            "--columns", default="", help="csv: what the file calls them: position=slot,datetime=when"
        )
        evaluate.add_argument("--numbers", help="csv: which columns are numbers; default: those with fractions")
        trial.add_options(evaluate, "all of our own")

    def handle(self, *_args: Any, **options: Any) -> None:
        progress = Progress(sys.stderr)
        with trial.refusals(progress):
            names = _models(options)
            read = _read(options, progress)
            train, test = logs.parted(read.logs)
            values = _values(read, options)
        with tempfile.TemporaryDirectory() as folder:
            for name, part in ((TRAIN, train), (TEST, test)):
                kept.write_log(Path(folder) / name, part)
            memory = trial.in_bytes(options["memory"])
            task = partial(Task, folder=Path(folder), seed=options["seed"], seconds=options["seconds"], memory=memory)
            found = trial.run(names, clicks.attempt, task, progress, self.stderr)
        self._tell(options, _protocol(read.logs, train, test), found, values, read.remarks)
        trial.refuse_nothing(found)

    def _tell(
        self, options: dict[str, Any], protocol: dict[str, Any], found: dict[str, Outcome],
        values: dict[str, list[report.Row]], remarks: Sequence[str],
    ) -> None:  # fmt: skip
        rows, about = report.click_rows(found), trial.about(found)
        if options["json"]:
            whole = {**protocol, "seed": options["seed"], "models": report.plain(rows), "about": about,
                     "values": {name: report.plain(lines) for name, lines in values.items()}, "remarks": remarks}  # fmt: skip
            self.stdout.write(json.dumps(whole, ensure_ascii=False))
            return
        for remark in remarks:
            self.stdout.write(remark)
        learnt, asked = protocol["train"], protocol["test"]
        self.stdout.write(
            f"{protocol['logs']} {'log' if protocol['logs'] == 1 else 'logs'}, {learnt['rows'] + asked['rows']:,} rows; the first {1 - logs.LATER:.0%} of each"
            f" {protocol['order']} ({learnt['rows']:,} rows, {learnt['clicks']:,} clicks) are learnt, the rest"
            f" ({asked['rows']:,} rows, {asked['clicks']:,} clicks) is asked about; seed {options['seed']}\n"
        )
        self.stdout.write(report.table(rows))
        for name, said in about.items():
            self.stdout.write(f"\n{name}: {said}")
        for name, lines in values.items():
            self.stdout.write(f"\n{name}\n\n{report.table(lines)}")


def _models(options: dict[str, Any]) -> list[str]:
    """The names to try. Raises InvalidInput for an unknown one, and says which there are."""
    chosen = [name.strip() for name in options["models"].split(",") if name.strip()] or list(CLICKS)
    known = {*CLICKS, *clicks.PEERS}
    if unknown := [name for name in chosen if name not in known]:
        raise InvalidInput(f"No model {unknown[0]!r}; there: {', '.join(sorted(known))}.")
    return [*chosen, *(name for name in clicks.PEERS if options["peers"] and name not in chosen)]


def _read(options: dict[str, Any], progress: Progress) -> _Read:
    remarks: list[str] = []
    found: list[ClickLog] = []
    paths, targets, items = options["log"], options["target"] or [], options["items"] or []
    for name, given, counts in (("target", targets, {0, len(paths)}), ("items", items, {0, 1, len(paths)})):
        if len(given) not in counts:
            raise InvalidInput(
                f"{len(given)} of --{name} for {len(paths)} of --log: give one for each, in their order."
            )
    of_each = items * len(paths) if len(items) == 1 else items or [None] * len(paths)
    for path, context in (*zip(paths, of_each, strict=True), *((target, None) for target in targets)):
        form = log_formats.opened(path, options["format"], _asked(options, context))
        found.append(logs.read(form, partial(_say, progress, path)))
        remarks.append(form.remark)
    return _Read(found[: len(paths)], found[len(paths) :], [remark for remark in remarks if remark])


def _say(progress: Progress, path: Path, count: int) -> None:
    progress.say(f"{path.name}: {count:,} rows read")


def _asked(options: dict[str, Any], context: Path | None) -> Asked:
    """Raises InvalidInput for an option that the format has no use for."""
    for name, formats in (("click", "csv"), ("columns", "csv"), ("numbers", "csv"), ("items", "obd")):
        if options[name] and options["format"] != formats:
            raise InvalidInput(
                f"--{name} is for --format {formats}: a log of {options['format']} has columns of its own."
            )
    names = dict(data.column_map(options["columns"], log_formats.ALIASES))
    if options["click"]:
        names[columns.CLICK] = options["click"]
    items = data.read_items(Table(context, {}, data.ALIASES, encoding=options["encoding"])) if context else None
    numbers = options["numbers"]
    return Asked(
        items,
        None if numbers is None else [name.strip() for name in numbers.split(",") if name.strip()],
        names,
        options["encoding"],
    )


def _protocol(read: Sequence[ClickLog], train: ClickLog, test: ClickLog) -> dict[str, Any]:
    parts = {
        name: {"rows": part.count, "clicks": int(part.outcomes.sum())}
        for name, part in (("train", train), ("test", test))
    }
    order = "as it stands" if any(log.times is None for log in read) else "by time"
    return {"logs": len(read), "order": order, **parts}


def _values(read: _Read, options: dict[str, Any]) -> dict[str, list[report.Row]]:
    """What the policy of each target would have earned on its log, by the name of the log."""
    found = {}
    pairs = zip(options["log"], options["target"] or [], read.logs, read.targets, strict=False)
    for path, other, log, target in pairs:
        try:
            values = ope.compare(log, ope.Table.of_log(target, columns.ITEM), columns.ITEM)
        except InvalidInput as error:
            raise InvalidInput(f"{path} and {other}: {error}") from error
        seen = (intervals.of_mean(each.outcomes) for each in (log, target))
        found[f"{path.name}, had the policy of {other.name} chosen"] = report.value_rows(values, *seen)
    return found
