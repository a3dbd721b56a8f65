"""What the estimators are worth, beside the libraries people use, tuned on the same inner split in the same run.

    python -m bench.estimators lists | next | ratings | cold | serving | growth

Everything but serving and growth is `sishu recommend evaluate` on public data: one process a model, one thread, seconds
of the processor, peak memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench import datasets
from bench.estimators_growth import growth
from bench.estimators_serving import serving
from bench.evaluating import Lines, evaluate, lines


def rankings() -> Lines:
    """Protocol R: a fifth of each user's positives, drawn at random, is asked about."""
    for name, files, positive in _sets():
        found = evaluate("recommend", *files, "--protocol", "ratio", "--positive", positive, "--peers")
        yield from lines(found, name)


def following() -> Lines:
    """Protocol S: the last thing that each user did is asked about, whatever they thought of it.

    SASRec wants PyTorch, the extra `deep`.
    """
    models = "auto,rules,ease-recent,ease,als,rp3beta,popular,sequence"
    files = _sets()[0][1]
    asked = (*files[:2], "--protocol", "leave-last", "--positive", ">0", "--models", models, "--peers")
    found = evaluate("recommend", *asked)
    yield from lines(found, "ML-100k")


def ratings() -> Lines:
    """Protocol CV: every rating is predicted from the other four fifths."""
    for name, files, _ in _sets():
        yield from lines(evaluate("recommend", *files[:2], "--protocol", "cv", "--peers"), name)


def cold() -> Lines:
    """A fifth of the items has no row: only words can find them."""
    for name, files, positive in _sets():
        found = evaluate(
            "recommend", *files, "--protocol", "cold", "--positive", positive, "--models", "content,sklearn-tfidf"
        )
        yield from lines(found, name)


PARTS = {
    "lists": rankings, "next": following, "ratings": ratings, "cold": cold, "serving": serving, "growth": growth,
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


if __name__ == "__main__":
    main()
