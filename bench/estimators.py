"""What the estimators are worth, beside the libraries people use, tuned on the same inner split in the same run.

    python -m bench.estimators lists | next | ratings | cold | serving | growth

Everything but serving and growth is `sishu recommend evaluate` on public data: one process a model, one thread, seconds
of the processor, peak memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import datasets
from bench.estimators_growth import growth
from bench.estimators_serving import serving

Rows = Iterator[dict[str, Any]]


def lists() -> Rows:
    """Protocol R: a fifth of each user's positives, drawn at random, is asked about."""
    for name, files, positive in _sets():
        yield from _evaluate(name, *files, "--protocol", "ratio", "--positive", positive, "--peers")


def following() -> Rows:
    """Protocol S: the last thing that each user did is asked about."""
    files = _sets()[0][1]
    yield from _evaluate("ML-100k", *files[:2], "--protocol", "leave-last", "--peers")


def ratings() -> Rows:
    """Protocol CV: every rating is predicted from the other four fifths."""
    for name, files, _ in _sets():
        yield from _evaluate(name, *files[:2], "--protocol", "cv", "--peers")


def cold() -> Rows:
    """A fifth of the items has no row: only words can find them."""
    for name, files, positive in _sets():
        yield from _evaluate(name, *files, "--protocol", "cold", "--positive", positive, "--models", "content,popular")


PARTS = {
    "lists": lists, "next": following, "ratings": ratings, "cold": cold, "serving": serving, "growth": growth,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=PARTS)
    for row in PARTS[parser.parse_args().what]():
        print(json.dumps(row, ensure_ascii=False), flush=True)


def _sets() -> list[tuple[str, list[str], str]]:
    movielens, anime = datasets.movielens(), datasets.anime()
    found = [("ML-100k", _files(movielens / "ml-100k.inter", movielens / "ml-100k.item"), ">=4")]
    if anime:
        found.append(("anime", _files(anime / "anime_ratings.dat.gz", anime / "anime_info.dat.gz"), ">=8"))
    return found


def _files(interactions: Path, items: Path) -> list[str]:
    return ["--interactions", str(interactions), "--items", str(items)]


def _evaluate(name: str, *arguments: str) -> Rows:
    """The rows of one table, and what `auto` said."""
    command = [sys.executable, "-m", "sishu.cli.main", "recommend", "evaluate", *arguments, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout)
    for row in found["models"]:
        yield {"data": name, **{column: _short(value) for column, value in row.items()}}
    for model, said in found["about"].items():
        yield {"remark": f"{name}, {model}: {said}"}


def _short(value: Any) -> Any:
    match value:
        case {"value": mean, "low": low, "high": high}:
            return f"{mean:.4f} ±{(high - low) / 2:.4f}"
        case float():
            return round(value, 4 if abs(value) < 10 else 1)
        case None:
            return ""
    return value


if __name__ == "__main__":
    main()
