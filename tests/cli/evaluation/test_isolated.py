"""A process of its own: its answer, its refusal, its end, its memory."""

from __future__ import annotations

import os
import signal

import numpy as np

from sishu.cli.evaluation import isolated
from sishu.estimators.errors import InvalidInput, OverBudget

MEBIBYTE = 2**20


def answer(number):
    print("a library that talks")  # not into the answer
    return {"pid": os.getpid(), "threads": os.environ["OPENBLAS_NUM_THREADS"], "twice": 2 * number}


def refuse(kind):
    if kind == "budget":
        raise OverBudget("A matrix", 8 * 2**30, 4 * 2**30, "Take fewer items.")
    raise InvalidInput("There is nothing.")


def take(mebibytes):
    return int(np.ones(mebibytes * MEBIBYTE, np.uint8).sum())


def end(by):
    if by == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError("a defect of a library")


def test_the_answer_comes_from_elsewhere_with_one_thread():
    outcome = isolated.run(answer, 21)
    assert outcome.value["pid"] != os.getpid()
    assert (outcome.value["threads"], outcome.value["twice"], outcome.refusal) == ("1", 42, "")


def test_its_memory_is_its_own():
    little, much = isolated.run(take, 1), isolated.run(take, 300)
    assert 290 < (much.peak - little.peak) / MEBIBYTE < 330


def test_a_refusal_is_handed_on_in_its_words():
    assert isolated.run(refuse, "input").refusal == "There is nothing."
    assert "about 8.0 GiB, and 4.0 GiB is allowed. Take fewer items." in isolated.run(refuse, "budget").refusal


def test_an_end_without_an_answer_is_no_answer():
    assert isolated.run(end, "signal").refusal == "ended by signal 9; out of memory?"
    assert isolated.run(end, "error").refusal == "RuntimeError: a defect of a library"
    assert isolated.run(end, "error").value is None
