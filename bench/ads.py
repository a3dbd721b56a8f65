"""What the click models are worth, beside the libraries people use.

    python -m bench.ads learning | clicks | policies

`learning`: a made-up log of 120,000 rows and 20 fields, learnt row by row by our FTRL and by river's, the same features
and the same settings, and one request for fifty ads. `clicks` and `policies`: `sishu ads evaluate` on the
small logs of the Open Bandit Dataset, where somebody has put them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from bench import datasets
from bench.evaluating import Lines, evaluate, lines, short
from sishu.cli.evaluation.isolated import cpu_seconds
from sishu.cli.evaluation.peers.with_river import Rows, began
from sishu.estimators import metrics
from sishu.estimators.clicks import ClickLog
from sishu.estimators.ftrl import Ftrl

ROWS, FIELDS, REPEATS = 120_000, 20, 3
ADS, CALLS = 50, 1000
NOT_HERE = {"remark": "Not measured: `SISHU_DATA` names no folder with the Open Bandit logs."}


def made_up(rows: int = ROWS, fields: int = FIELDS, seed: int = 7) -> ClickLog:
    """Fields of 4 to 40,000 names, a few of which are most of the rows, as names are; about one row in ten is clicked."""
    rng = np.random.default_rng(seed)
    odds = np.full(rows, -2.6)
    columns = {}
    for field in range(fields):
        count = (4, 40, 400, 4_000, 40_000)[field % 5]
        codes = np.minimum(rng.zipf(1.3, rows), count) - 1
        odds += rng.normal(0, 0.4, count)[codes]
        columns[f"field {field}"] = codes.tolist()
    return ClickLog.of(rng.random(rows) < expit(odds), columns, times=np.arange(rows))


def learning() -> Lines:
    """Rows a second, and how well what comes after is said. The best of three, taken in turns."""
    earlier, later = made_up().parted(0.2)
    rivers = Rows(earlier)
    rows, clicked = list(rivers(earlier)), (earlier.outcomes > 0).tolist()  # made before the clock runs
    asked = list(rivers(later.take(slice(ADS))))
    took: dict[str, list[float]] = {"ours": [], "river": []}
    for _ in range(REPEATS):
        ours, seconds = cpu_seconds(lambda: Ftrl(alpha=0.1).fit(earlier))
        took["ours"].append(seconds)
        theirs = began(earlier, alpha=0.1, l2=1.0)
        _, seconds = cpu_seconds(
            lambda model=theirs: [model.learn_one(*pair) for pair in zip(rows, clicked, strict=True)]
        )
        took["river"].append(seconds)
    request = later.take(slice(ADS))
    said = {
        "ours": ours.predict_proba(later),
        "river": np.array([theirs.predict_proba_one(row)[True] for row in rivers(later)]),
    }
    calls = {
        "ours": _calls(lambda: ours.predict_proba(request)),
        "river": _calls(lambda: [theirs.predict_proba_one(row)[True] for row in asked]),
    }
    for name, seconds_of in took.items():
        p50, p99 = np.percentile(calls[name], [50, 99])
        yield {
            "FTRL": name, "rows": earlier.count, "fields": FIELDS, "CPU s": round(min(seconds_of), 2),
            "events/s": round(earlier.count / min(seconds_of)),
            "log-loss after": round(metrics.log_loss(later.outcomes, said[name]), 5),
            "AUC after": round(metrics.auc(later.outcomes, said[name]), 4),
            "50 ads p50 ms": round(float(p50), 3), "p99 ms": round(float(p99), 3),
        }  # fmt: skip
    yield {"remark": f"Ours learns {min(took['river']) / min(took['ours']):.1f} times as many rows a second. River's"
           " dictionaries are made before the clock runs; hashing and batches are within ours."}  # fmt: skip


def clicks() -> Lines:
    """All six small logs of the Open Bandit Dataset, learnt up to 70 % of each."""
    if folder := datasets.open_bandit():
        logs = (part for policy in ("random", "bts") for part in _logs(folder, policy, "--log"))
        yield from lines(evaluate("ads", "--format", "obd", *logs, "--peers"), digits=5)
    else:
        yield NOT_HERE


def policies() -> Lines:
    """What the shop's own policy would have earned, from the log served at random; the truth is in its own log."""
    if folder := datasets.open_bandit():
        logs = (*_logs(folder, "random", "--log"), *_logs(folder, "bts", "--target"))
        for name, rows in evaluate("ads", "--format", "obd", *logs, "--models", "constant")["values"].items():
            yield from ({"log": name.split(",")[0], **short(row)} for row in rows)
    else:
        yield NOT_HERE


PARTS = {"learning": learning, "clicks": clicks, "policies": policies}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=PARTS)
    for row in PARTS[parser.parse_args().what]():
        print(json.dumps(row, ensure_ascii=False), flush=True)


def _calls(ask: Any) -> list[float]:
    ask()
    took = []
    for _ in range(CALLS):
        began_at = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began_at) * 1000)
    return took


def _logs(folder: Path, policy: str, option: str) -> list[str]:
    names = ("all", "men", "women")
    return [part for name in names for part in (option, str(folder / f"obd_{policy}_{name}_{name}.csv.gz"))]


if __name__ == "__main__":
    main()
