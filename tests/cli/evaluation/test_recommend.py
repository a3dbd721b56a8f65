"""`sishu recommend evaluate` from file to table, as a person runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.estimators.worlds import circles, ratings

COMMAND = [sys.executable, "-m", "sishu.cli.main", "recommend", "evaluate"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A world as files: what they liked, what they rated, what the items are called."""
    folder = tmp_path_factory.mktemp("world")
    for name, world in (("likes.csv", circles(users=120)), ("stars.csv", ratings())):
        rows = zip(world.users, world.items, world.weights, world.times, strict=True)
        lines = [f"{world.user_ids[u]},{world.item_ids[i]},{weight},{time}" for u, i, weight, time in rows]
        (folder / name).write_text("\n".join(["user,item,rating,timestamp", *lines]) + "\n")
    titles = [f"{name}\t{'水墨 画法' if int(name.split()[1]) % 4 else 'Python code'}" for name in circles().item_ids]
    (folder / "items.tsv").write_text("\n".join(["item\ttitle", *titles]) + "\n")
    return folder


def run(*arguments):
    done = subprocess.run([*COMMAND, *map(str, arguments)], check=False, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_table_has_a_row_for_each_model_the_best_first(files):
    code, out, err = run(
        "--interactions", files / "likes.csv", "--protocol", "ratio", "--models", "popular,ease,rp3beta", "--json"
    )
    assert code == 0, err
    found = json.loads(out)
    assert (found["users"], found["items"], found["protocol"]) == (120, 40, "ratio")
    scores = {row["model"]: row["NDCG@10"] for row in found["models"]}
    assert list(scores)[-1] == "popular"
    assert scores["ease"]["low"] > scores["popular"]["high"]
    for row in found["models"]:
        assert row["NDCG@10"]["low"] <= row["NDCG@10"]["value"] <= row["NDCG@10"]["high"]
        assert min(row["fit CPU s"], row["peak MiB"], row["call p50 ms"]) > 0
        assert row["call p50 ms"] <= row["call p99 ms"]
    assert found["models"][0]["vs best"] is None
    assert found["models"][-1]["vs best"]["high"] < 0


def test_who_is_too_few_to_part_twice_is_parted_once(files, tmp_path):
    lines = [f"u{n},{'abcdefgh'[(n + k) % 8]}" for n in range(20) for k in range(5)]
    (tmp_path / "five.csv").write_text("\n".join(["user,item", *lines]) + "\n")
    code, out, err = run("--interactions", tmp_path / "five.csv", "--protocol", "ratio", "--models", "ease", "--json")
    assert code == 0, err
    assert json.loads(out)["models"][0]["NDCG@10"]["value"] > 0


def test_the_same_seed_says_the_same(files):
    asked = ("--interactions", files / "likes.csv", "--protocol", "ratio", "--models", "ease", "--json")
    first, second = (json.loads(run(*asked)[1])["models"][0] for _ in range(2))
    for column in ("NDCG@10", "Recall@20", "coverage@10", "chose"):
        assert first[column] == second[column]
    other = json.loads(run(*asked, "--seed", "7")[1])["models"][0]
    assert other["NDCG@10"] != first["NDCG@10"]


def test_people_get_a_table_and_auto_says_why(files):
    code, out, err = run("--interactions", files / "likes.csv", "--protocol", "leave-last", "--models", "auto,popular")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].endswith("120 users, 40 items; leave-last, seed 42")
    assert lines[1].split()[:2] == ["model", "NDCG@10"]
    assert {line.split()[0] for line in lines[3:5]} == {"auto", "popular"}
    assert any(line.startswith("auto: Chosen by NDCG@10 of") for line in lines)


def test_ratings_are_cross_validated(files):
    code, out, err = run("--interactions", files / "stars.csv", "--protocol", "cv", "--models", "bias", "--json")
    assert code == 0, err
    row = json.loads(out)["models"][0]
    assert 0.4 < row["MAE"] < row["RMSE"] < 1


def test_works_nobody_had_are_found_by_their_words(files):
    code, out, err = run(
        "--interactions", files / "likes.csv", "--items", files / "items.tsv", "--protocol", "cold", "--json",
        "--models", "content,popular",
    )  # fmt: skip
    assert code == 0, err
    rows = {row["model"]: row for row in json.loads(out)["models"]}
    assert rows["content"]["NDCG@10"]["value"] > rows["popular"]["NDCG@10"]["value"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--protocol", "ratio", "--models", "magic"], "No model 'magic' under ratio; there: als, auto,"),
        (["--protocol", "ratio", "--positive", "nice"], "'nice' is no condition"),
        (["--protocol", "cv", "--positive", ">=4"], "--positive is for lists: under cv every rating is predicted"),
        (["--protocol", "ratio", "--columns", "user_id=nobody"], "has no column 'nobody'; it has user, item, rating"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(files, arguments, said):
    code, out, err = run("--interactions", files / "likes.csv", *arguments)
    assert code == 1
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_model_that_may_not_take_its_memory_says_so_on_its_line(files):
    code, out, _ = run(
        "--interactions", files / "likes.csv", "--protocol", "ratio", "--models", "popular,ease", "--memory", "1e-5"
    )
    assert code == 0
    assert "ease: " in out
    assert "is allowed" in out


def test_where_no_model_gave_an_answer_the_command_fails(files):
    code, out, err = run(
        "--interactions", files / "likes.csv", "--protocol", "ratio", "--models", "ease", "--memory", "1e-5"
    )
    assert (code, err.strip()) == (1, "CommandError: No model gave an answer.")
    assert "is allowed" in out


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--encoding", "klingon", "'klingon' is no encoding of text"),
        ("--encoding", "hex", "'hex' is no encoding of text"),
        ("--seed", "-1", "'-1' is no seed"),
        ("--memory", "nan", "'nan' is too little or too much: give a number above zero."),
        ("--memory", "inf", "'inf' is too little or too much"),
        ("--seconds", "0", "'0' is too little or too much"),
    ],
)
def test_an_option_that_nothing_can_be_made_of_is_refused(files, option, value, said):
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("recommend", "evaluate", "--interactions", "a.csv", "--protocol", "ratio", f"{option}={value}")


def test_ctrl_c_leaves_what_was_found(files):
    models = "popular,auto,ease,als"
    arguments = ["--interactions", str(files / "likes.csv"), "--protocol", "ratio", "--models", models]
    ours, theirs = pty.openpty()  # progress is shown to people only, so the error stream is a terminal
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    while b"1/4 auto" not in shown:
        shown += os.read(ours, 1000)
    os.killpg(process.pid, signal.SIGINT)
    out = process.communicate()[0].decode()
    shown += os.read(ours, 1000)
    os.close(ours)
    assert process.returncode == 0
    assert b"Stopped after 1 of 4 models; this is what was found." in shown
    assert [line.split()[0] for line in out.splitlines()[3:]] == ["popular"]
