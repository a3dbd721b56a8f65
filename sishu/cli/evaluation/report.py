"""What was found, as one table for people or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sishu.cli.evaluation.clicks import Clicks
from sishu.cli.evaluation.isolated import Outcome
from sishu.cli.evaluation.lists import RECALL_K, K, Lists
from sishu.cli.evaluation.ratings import Ratings
from sishu.estimators import intervals
from sishu.estimators.intervals import Interval
from sishu.estimators.ope import Value

MEBIBYTE = 2**20
Row = dict[str, Any]


def list_rows(found: Mapping[str, Outcome]) -> list[Row]:
    """A row a model, the best first; `vs best` is the paired difference of NDCG from the best with its interval."""
    done = {name: outcome for name, outcome in found.items() if isinstance(outcome.value, Lists)}
    order = sorted(done, key=lambda name: -float(done[name].value.ndcg.mean()))
    rows = []
    for name in order:
        value: Lists = done[name].value
        p50, p99 = np.percentile(value.call_ms, [50, 99])
        rows.append({
            "model": name,
            f"NDCG@{K}": intervals.of_mean(value.ndcg),
            "vs best": intervals.of_difference(value.ndcg, done[order[0]].value.ndcg) if name != order[0] else None,
            f"Recall@{RECALL_K}": intervals.of_mean(value.recall),
            f"HR@{K}": intervals.of_mean(value.hit_rate),
            f"coverage@{K}": value.coverage,
            "novelty bits": value.novelty,
            "search CPU s": value.search_seconds,
            "fit CPU s": value.fit_seconds,
            "peak MiB": done[name].peak / MEBIBYTE,
            "call p50 ms": float(p50),
            "call p99 ms": float(p99),
            "chose": _short(value.params),
        })  # fmt: skip
    return rows + _refused(found)


def rating_rows(found: Mapping[str, Outcome]) -> list[Row]:
    """A row a model, the best first; `vs best` is the paired difference of squared errors, with its interval."""
    done = {name: outcome for name, outcome in found.items() if isinstance(outcome.value, Ratings)}
    order = sorted(done, key=lambda name: float(np.square(done[name].value.errors).mean()))
    rows = []
    for name in order:
        value: Ratings = done[name].value
        squares, best = np.square(value.errors), np.square(done[order[0]].value.errors)
        rows.append({
            "model": name,
            "RMSE": float(value.rmse_of_folds.mean()),
            "sd of folds": float(value.rmse_of_folds.std(ddof=1)),
            "MSE vs best": intervals.of_difference(squares, best) if name != order[0] else None,
            "MAE": float(np.abs(value.errors).mean()),
            "search CPU s": value.search_seconds,
            "fit CPU s/fold": value.fit_seconds,
            "peak MiB": done[name].peak / MEBIBYTE,
            "chose": _short(value.params),
        })  # fmt: skip
    return rows + _refused(found)


def click_rows(found: Mapping[str, Outcome]) -> list[Row]:
    """A row a model, the best first; `vs best` is the paired difference of log-loss from the best with its interval."""
    done = {name: outcome for name, outcome in found.items() if isinstance(outcome.value, Clicks)}
    order = sorted(done, key=lambda name: float(done[name].value.losses.mean()))
    rows = []
    for name in order:
        value: Clicks = done[name].value
        p50, p99 = np.percentile(value.call_ms, [50, 99])
        rows.append({
            "model": name,
            "log-loss": intervals.of_mean(value.losses),
            "vs best": intervals.of_difference(value.losses, done[order[0]].value.losses) if name != order[0] else None,
            "RIG": value.gain,
            "AUC": value.auc,
            "ECE": value.calibration_error,
            "said/seen": value.calibration,
            "search CPU s": value.search_seconds,
            "fit CPU s": value.fit_seconds,
            "events/s": round(value.learnt / value.fit_seconds) if value.fit_seconds else None,
            "peak MiB": done[name].peak / MEBIBYTE,
            "call p50 ms": float(p50),
            "call p99 ms": float(p99),
            "chose": _short(value.params),
        })  # fmt: skip
    return rows + _refused(found)


def value_rows(values: Mapping[str, Value], served: Interval, target: Interval) -> list[Row]:
    """What a policy would have earned, by each estimator; above them what either log earned itself. In % of the rows."""
    rows: list[Row] = [
        {"estimator": name, "CTR %": _percent(each), "ESS": None, "mean weight": None}
        for name, each in (("served policy, seen", served), ("target policy, seen", target))
    ]
    for name, value in values.items():
        counts = name != "DM"  # which weighs no row
        rows.append({
            "estimator": name,
            "CTR %": _percent(value.interval),
            "ESS": round(value.effective_sample_size) if counts else None,
            "mean weight": value.mean_weight if counts else None,
        })  # fmt: skip
    return rows


def table(rows: Sequence[Row]) -> str:
    """Rows under their names, in columns of equal width; what a model could not do stands on a line of its own."""
    shown = [row for row in rows if "refused" not in row]
    lines = []
    if shown:
        names = list(shown[0])
        cells = [names, *([_cell(row[name]) for name in names] for row in shown)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines + [f"{row['model']}: {row['refused']}" for row in rows if "refused" in row])


def plain(rows: Sequence[Row]) -> list[Row]:
    """The same for JSON: an interval is its value, low and high."""
    return [
        {name: vars(value) if isinstance(value, Interval) else value for name, value in row.items()} for row in rows
    ]


def _refused(found: Mapping[str, Outcome]) -> list[Row]:
    return [{"model": name, "refused": outcome.refusal} for name, outcome in found.items() if outcome.value is None]


def _percent(share: Interval) -> Interval:
    return Interval(*(100 * bound for bound in (share.value, share.low, share.high)))


def _short(params: Mapping[str, Any]) -> str:
    if "members" in params:  # a fusion: its members say more than their settings, which `about` tells
        return " + ".join(params["members"])
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in params.items()
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Interval):
        return str(value)
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)
