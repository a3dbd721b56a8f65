"""`sishu ads evaluate` from file to table, as a person runs it."""

from __future__ import annotations

import json
import math
import os
import pty
import signal
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from sishu.cli.evaluation import clicks, kept, logs
from sishu.cli.evaluation.clicks import PEERS, TEST, TRAIN, Task
from sishu.estimators import metrics
from sishu.estimators.errors import OverBudget
from sishu.estimators.kinds import CLICKS
from tests.estimators.worlds import shown

COMMAND = [sys.executable, "-m", "sishu.cli.main", "ads", "evaluate"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A world as a file, in which the ad, the city and the price each say something."""
    made = tmp_path_factory.mktemp("world")
    log = shown(2000, rate=0.3, places=True).log
    columns = {name: column.names.many(column.codes) for name, column in log.categories.items()}
    rows = zip(log.clicked, log.times, log.positions, *columns.values(), log.numbers["price"], strict=True)
    lines = [",".join(map(str, (int(clicked), *rest))) for clicked, *rest in rows]
    (made / "ads.csv").write_text("\n".join(["click,time,position,ad,city,price", *lines]) + "\n")
    (made / "few.csv").write_text(
        "clicked,ad\n" + "".join(f"{one},{n % 3}\n" for n, one in enumerate("01010001101001"))
    )
    return made


def run(*arguments):
    out = StringIO()
    call_command("ads", "evaluate", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_table_has_a_row_for_each_model_the_best_first(folder):
    found = json.loads(run("--log", folder / "ads.csv", "--format", "csv", "--models", "constant,auto", "--json"))
    assert (found["logs"], found["order"], found["seed"]) == (1, "by time", 42)
    assert (found["train"]["rows"], found["test"]["rows"]) == (1400, 600)
    best, constant = found["models"]
    assert (best["model"], best["vs best"]) == ("auto", None)
    assert constant["vs best"]["low"] > 0
    assert constant["AUC"]["value"] == 0.5 < best["AUC"]["low"]
    assert constant["RIG"] == pytest.approx(0, abs=1e-6)
    for row in (best, constant):
        assert row["log-loss"]["low"] < row["log-loss"]["value"] < row["log-loss"]["high"]
        assert min(row["fit CPU s"], row["events/s"], row["peak MiB"], row["call p50 ms"]) > 0
        assert row["call p50 ms"] <= row["call p99 ms"]
    assert found["about"]["auto"].startswith("Believed by what they said of later rows: ")


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    monkeypatch.setattr(clicks, "TIMED_CALLS", 20)  # here; a process of its own makes all of them


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Where an attempt looks for what is learnt and what is asked about."""
    made = tmp_path_factory.mktemp("kept")
    for name, part in zip((TRAIN, TEST), logs.parted([shown(2000, rate=0.3, places=True).log]), strict=True):
        kept.write_log(made / name, part)
    return made


@pytest.mark.parametrize("model", [*CLICKS, *PEERS])
def test_every_model_learns_what_the_constant_does_not_know(parts, model):
    if model in PEERS:
        pytest.importorskip(PEERS[model].module)
    found = clicks.attempt(Task(model, parts, 42, 600.0, 2**30))
    train, test = (kept.read_log(parts / name) for name in (TRAIN, TEST))
    constant = metrics.log_losses(test.outcomes, np.full(test.count, train.rate()))
    if model == "constant":
        assert found.losses == pytest.approx(constant)
        return
    assert found.auc.low > 0.5
    if model != "ridge":  # whose chances are no chances
        assert found.losses.mean() < constant.mean()


def test_the_same_seed_says_the_same(parts):
    first, second = (clicks.attempt(Task("ftrl", parts, 42, 600.0, 2**30)) for _ in range(2))
    assert first.losses.tolist() == second.losses.tolist()
    assert first.params == second.params


def test_no_candidate_begins_once_the_time_is_gone(parts):
    assert clicks.attempt(Task("ftrl", parts, 42, 0.0, 2**30)).params == CLICKS["ftrl"].candidates[0]


def test_the_constant_by_hand(folder):
    row = json.loads(
        run("--log", folder / "few.csv", "--format", "csv", "--click", "clicked", "--models", "constant", "--json")
    )["models"][0]
    # Of fourteen rows ten are learnt, 4 of them clicked: p = 4.5 / 11. Asked about are 1, 0, 0, 1.
    loss = -(2 * math.log(4.5 / 11) + 2 * math.log(6.5 / 11)) / 4
    assert row["log-loss"]["value"] == pytest.approx(loss)
    assert row["said/seen"] == pytest.approx(4 * (4.5 / 11) / 2)


@pytest.fixture
def policies(tmp_path):
    """A log served at random, in which item 1 is clicked more, and one of a policy that mostly shows it."""
    header = "timestamp,item_id,position,click,propensity_score,user_feature_0\n"
    for name, items in (("random.csv", [0, 1] * 10), ("other.csv", [1, 1, 1, 0] * 5)):
        rows = (
            f"2026-11-01 00:{minute:02}:00,{item},1,{int(minute % 4 == 1 or minute == 18)},0.5,r{minute % 3}\n"
            for minute, item in enumerate(items)
        )
        (tmp_path / name).write_text(header + "".join(rows))
    return tmp_path


def test_what_another_policy_would_have_earned_by_hand(policies):
    log, target = policies / "random.csv", policies / "other.csv"
    asked = ("--log", log, "--target", target, "--format", "obd", "--models", "constant")
    lines = {
        line["estimator"]: line for lines in json.loads(run(*asked, "--json"))["values"].values() for line in lines
    }
    # Of ten rows with item 1 five are clicked, of ten with item 0 one; π is ¾ and ¼ where both had ½.
    expected = 100 * (5 * 1.5 + 1 * 0.5) / 20
    assert lines["IPS"]["CTR %"]["value"] == pytest.approx(expected)
    assert lines["SNIPS"]["CTR %"]["value"] == pytest.approx(expected)
    assert lines["IPS"]["mean weight"] == 1
    assert lines["IPS"]["ESS"] == round(20**2 / (10 * 1.5**2 + 10 * 0.5**2))
    # The guess: (clicks + 200 · 0.3) / (10 + 200)
    q0, q1 = (1 + 60) / 210, (5 + 60) / 210
    assert lines["DM"]["CTR %"]["value"] == pytest.approx(100 * (0.25 * q0 + 0.75 * q1))
    doubly = 0.25 * q0 + 0.75 * q1 + (1.5 * (5 - 10 * q1) + 0.5 * (1 - 10 * q0)) / 20
    assert lines["DR"]["CTR %"]["value"] == pytest.approx(100 * doubly)
    assert lines["served policy, seen"]["CTR %"]["value"] == pytest.approx(30)


def test_rows_that_come_twice_are_said_to(tmp_path):
    rows = [f"{n},{n % 2},141021{n // 4:02},1005,{n % 7}" for n in range(40)]
    lines = ["id,click,hour,C1,banner_pos", *(row for row in rows for _ in range(6))]
    (tmp_path / "avazu.csv").write_text("\n".join(lines) + "\n")
    out = run("--log", tmp_path / "avazu.csv", "--format", "avazu", "--models", "constant").splitlines()
    assert out[0].endswith("200 of 240 rows repeat a row before them, id and all, and are left out: 40 stay.")
    assert out[1].startswith("1 log, 40 rows; the first 70% of each by time (28 rows, 14 clicks) are learnt")
    assert out[2].split()[:2] == ["model", "log-loss"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "magic"], "No model 'magic'; there: auto, constant, ftrl, lightgbm,"),
        (["--click", "nobody"], "has no column 'nobody'; it has click, time, position, ad, city, price."),
        (["--columns", "reader=user"], "reader=user names no column: write click, item_id, position,"),
        (["--items", "items.csv"], "--items is for --format obd: a log of csv has columns of its own."),
        (["--target", "a", "--target", "b"], "2 of --target for 1 of --log: give one for each, in their order."),
        (["--log", "nowhere.csv"], "There is no file nowhere.csv."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(folder, arguments, said):
    with pytest.raises(CommandError) as caught:
        run("--log", folder / "ads.csv", "--format", "csv", *arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_known_of_items_is_read_beside_the_log(policies):
    (policies / "items.csv").write_text("item_id,item_feature_0\n0,0.5\n1,\n")
    asked = ("--log", policies / "random.csv", "--format", "obd", "--models", "constant", "--json")
    assert json.loads(run(*asked, "--items", policies / "items.csv"))["train"]["rows"] == 14
    (policies / "items.csv").write_text("work,item_feature_0\n0,0.5\n")
    with pytest.raises(CommandError, match=r"items\.csv has no column 'item_id'"):
        run(*asked, "--items", policies / "items.csv")


def test_a_policy_wants_propensities_and_items(folder):
    for columns, said in (("", "has no propensities"), ("propensity=price", "a chance above 0 and at most 1")):
        with pytest.raises(CommandError, match=said):
            run("--log", folder / "ads.csv", "--target", folder / "ads.csv", "--format", "csv", "--columns", columns)


def test_a_library_that_is_missing_says_so_on_its_line(folder, tmp_path, monkeypatch):
    (tmp_path / "river.py").write_text("raise ModuleNotFoundError('no', name='river')")
    monkeypatch.syspath_prepend(str(tmp_path))
    models = "constant,river-ftrl"
    lines = run("--log", folder / "few.csv", "--format", "csv", "--click", "clicked", "--models", models)
    assert lines.splitlines()[-1] == "river-ftrl: river is not installed: pip install 'sishu[peers]'."


def test_where_no_model_gave_an_answer_the_command_fails(folder):
    with pytest.raises(CommandError, match="No model gave an answer"):
        run(
            "--log", folder / "few.csv", "--format", "csv", "--click", "clicked", "--models", "ftrl", "--memory", "1e-6"
        )


def test_a_model_keeps_to_its_memory(parts):
    with pytest.raises(OverBudget, match="FTRL would take about"):
        clicks.attempt(Task("ftrl", parts, 42, 600.0, 2**10))


def test_ctrl_c_leaves_what_was_found(folder):
    arguments = ["--log", str(folder / "ads.csv"), "--format", "csv", "--models", "constant,auto,ftrl"]
    ours, theirs = pty.openpty()  # progress is shown to people only, so the error stream is a terminal
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = b""
    while b"1/3 auto" not in said:
        said += os.read(ours, 1000)
    os.killpg(process.pid, signal.SIGINT)
    out = process.communicate()[0].decode()
    said += os.read(ours, 1000)
    os.close(ours)
    assert process.returncode == 0
    assert b"Stopped after 1 of 3 models; this is what was found." in said
    assert [line.split()[0] for line in out.splitlines()[4:]] == ["constant"]
