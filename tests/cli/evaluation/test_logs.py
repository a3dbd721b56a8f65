"""Click logs as people have them, and what is wrong with one said by its line."""

from __future__ import annotations

import gzip

import duckdb
import numpy as np
import pytest

from sishu.cli.evaluation import kept, log_formats, logs
from sishu.cli.evaluation.data import ALIASES, column_map, read_items
from sishu.cli.evaluation.log_formats import Asked
from sishu.cli.evaluation.tables import Table
from sishu.estimators.clicks import ClickLog
from sishu.estimators.errors import InvalidInput

OBD = (
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0,user-item_affinity_1\n"
    "0,2019-11-24 00:00:34.762830+00:00,1,3,0,0.5,abc,0.0,2.5\n"
    "1,2019-11-24 00:00:53.965051+00:00,0,1,1,0.25,def,4.0,0.0\n"
)
CRITEO = "1\t" + "\t".join(["5", "", "0", "-1", *"123456789"]) + "\t" + "\t".join(f"{n:08x}" for n in range(26)) + "\n"
CRITEO += "0\t" + "\t".join(["", *"123456789012"]) + "\t" * 26 + "\n"
AVAZU = (
    "id,click,hour,C1,banner_pos\n1,0,14102100,1005,0\n1,0,14102100,1005,0\n2,1,14102101,1005,1\n2,1,14102101,1005,7\n"
)
ANY = "when,clicked,slot,shown with,ad,price,age\n2026-11-01,0,1,0.5,广告 1,2.5,30\n2026-11-02,1,2,0.5,x,,\n"
MAP = column_map("click=clicked,position=slot,datetime=when,propensity=shown with,item_id=ad", log_formats.ALIASES)


def opened(path, form, text, **asked):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return log_formats.opened(path, form, Asked(**asked))


def read(path, form, text, **asked):
    return logs.read(opened(path, form, text, **asked))


def names(log, column):
    return log.categories[column].names.many(log.categories[column].codes)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_open_bandit_keeps_the_affinity_to_what_was_shown(tmp_path, name):
    log = read(tmp_path / name, "obd", OBD)
    assert (log.clicked.tolist(), log.positions.tolist(), log.propensities.tolist()) == ([0, 1], [3, 1], [0.5, 0.25])
    assert log.times.tolist() == [1_574_553_634, 1_574_553_653]
    assert {name: names(log, name) for name in log.categories} == {
        "user_feature_0": ["abc", "def"],
        "item_id": ["1 of 2", "0 of 2"],  # item 1 of another campaign is another item
    }
    assert {name: column.tolist() for name, column in log.numbers.items()} == {"affinity": [2.5, 4.0]}


def test_open_bandit_takes_what_is_known_of_items(tmp_path):
    (tmp_path / "i.csv").write_text(",item_id,item_feature_0,item_feature_1\n0,0,-0.5,aa\n1,1,0.25,bb\n")
    items = read_items(Table(tmp_path / "i.csv", {}, ALIASES))
    log = read(tmp_path / "a.csv", "obd", OBD, items=items)
    assert log.numbers["item_feature_0"].tolist() == [0.25, -0.5]
    assert names(log, "item_feature_1") == ["bb", "aa"]


def test_criteo_has_no_header_and_gaps_are_names(tmp_path):
    log = read(tmp_path / "train.txt", "criteo", CRITEO)
    assert log.clicked.tolist() == [1, 0]
    assert [names(log, f"I{number}")[0] for number in range(1, 6)] == ["2", "", "=0", "=-1", "=1"]  # ln² 5 is 2.6
    assert names(log, "I1") == ["2", ""]
    assert log.numbers["log I1"] == pytest.approx([np.log(6), 0])
    assert names(log, "C26") == ["00000019", ""]
    assert (log.times, log.positions) == (None, None)


def test_avazu_has_hours_and_what_is_repeated_is_left_out(tmp_path):
    form = opened(tmp_path / "a.gz", "avazu", AVAZU)
    log = logs.read(form)
    assert log.count == 3  # the last has an id that was there, and is another row
    assert names(log, "hour") == ["00", "01", "01"]
    assert names(log, "banner_pos") == ["0", "1", "7"]
    assert (log.times[0], log.times[1] - log.times[0]) == (1_413_849_600, 3600)
    assert "id" not in log.categories
    assert form.remark.endswith("1 of 4 rows repeat a row before them, id and all, and are left out: 3 stay.")


def test_any_table_goes_by_the_names_that_it_has(tmp_path):
    form = opened(tmp_path / "a.csv", "csv", ANY, columns=MAP)
    log = logs.read(form)
    assert (log.clicked.tolist(), log.positions.tolist(), log.propensities.tolist()) == ([0, 1], [1, 2], [0.5, 0.5])
    assert log.times.tolist() == [1_793_491_200, 1_793_577_600]
    assert log.numbers["price"].tolist() == [2.5, 0]
    assert {name: names(log, name) for name in log.categories} == {
        "item_id": ["广告 1", "x"], "price known": ["yes", "no"], "age": ["30", ""],
    }  # fmt: skip
    assert form.remark.endswith("numbers: price; names: all others.")


@pytest.mark.parametrize(("said", "found"), [(["age"], ["age"]), ([], [])])
def test_which_columns_are_numbers_may_be_told(tmp_path, said, found):
    log = read(tmp_path / "a.csv", "csv", ANY, columns=MAP, numbers=said)
    assert list(log.numbers) == found


def test_parquet_says_what_the_text_says(tmp_path):
    (tmp_path / "a.csv").write_text(OBD)
    duckdb.read_csv(str(tmp_path / "a.csv")).write_parquet(str(tmp_path / "a.parquet"))
    text, packed = (logs.read(log_formats.opened(tmp_path / name, "obd", Asked())) for name in ("a.csv", "a.parquet"))
    assert names(text, "item_id") == names(packed, "item_id")
    assert (text.times.tolist(), text.clicked.tolist()) == (packed.times.tolist(), packed.clicked.tolist())
    (tmp_path / "c.tsv").write_text(
        "\t".join(["label", *log_formats.CRITEO_NUMBERS, *log_formats.CRITEO_NAMES]) + "\n" + CRITEO
    )
    duckdb.read_csv(str(tmp_path / "c.tsv"), sep="\t").write_parquet(str(tmp_path / "c.parquet"))
    assert logs.read(log_formats.opened(tmp_path / "c.parquet", "criteo", Asked())).clicked.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("obd", OBD.replace("position", "place"), r"a\.csv has no column 'position'; it has .* take another --format"),
        ("obd", OBD.replace(",1,0.25", ",2,0.25"), r"a\.csv, line 3, has '2' as click: 0 or 1 is wanted"),
        ("obd", OBD.replace(",1,0.25", ",,0.25"), "line 3, has '' as click: 0 or 1 is wanted"),
        ("obd", OBD.replace(",0.25", ",0"), "line 3, has '0' as propensity_score: a chance above 0 and at most 1"),
        ("obd", OBD.replace(",0.25", ",1.5"), "line 3, has '1.5' as propensity_score"),
        ("obd", OBD.replace(",0.25", ",nan"), "line 3, has 'nan' as propensity_score"),
        ("obd", OBD.replace("4.0", "NaN"), "line 3, has 'NaN' as user-item_affinity_0: a finite number is wanted"),
        ("obd", OBD.replace(",1,3", ",2,3"), "line 2, has '2' as item_id: a whole number from 0 to 1 is wanted"),
        ("obd", OBD.replace(",1,3", ",1,1.5"), "line 2, has '1.5' as position: a whole number from 0 is wanted"),
        ("obd", OBD.replace("2019-11-24 00:00:53", "yesterday"), "line 3, has 'yesterday.*' as timestamp"),
        ("obd", OBD.partition("\n")[0] + "\n", r"a\.csv has a header and no rows"),
        ("obd", "", r"a\.csv is empty"),
        ("criteo", "1\t2\t3\n", r"line 1, has 3 columns parted by tabs, and a log of Criteo has 40"),
        ("criteo", CRITEO.replace("1\t5", "x\t5", 1), "line 1, has 'x' as label: 0 or 1 is wanted"),
        ("criteo", CRITEO.replace("1\t5", "1\tnan", 1), "line 1, has 'nan' as I1: a finite number, or nothing, is wanted"),
        ("criteo", CRITEO + "0\t1\n", "line 3, has 2 columns, and number 40 is wanted"),
        ("criteo", "", r"a\.csv is empty"),
        ("avazu", AVAZU.replace("hour", "time"), "has no column 'hour'"),
        ("avazu", AVAZU.replace("14102101", "14102125"), "line 4, has '14102125' as hour: an hour as YYMMDDHH is wanted"),
        ("avazu", AVAZU.replace("14102101", "1410210"), "line 4, has '1410210' as hour"),
        ("avazu", AVAZU.replace("\n2,1", "\n2,-1"), "line 4, has '-1' as click"),
        ("csv", "a,b\n1,2\n", r"has no column 'click'; it has a, b\. Name the columns with --columns, as click=clicked"),
        ("csv", "click,a,a\n1,2,3\n", "has two columns 'a'"),
        ("csv", "click\n1\n", "has no column beside click"),
        ("csv", "click,a\n1,2.5\n0,inf\n", "line 3, has 'inf' as click|line 3, has 'inf' as a"),
        ("csv", "click,propensity,a\n1,-0.5,2\n", "line 2, has '-0.5' as propensity"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_file_line_and_column(tmp_path, form, text, said):
    numbers = ["a"] if "inf" in text else None
    with pytest.raises(InvalidInput, match=said) as caught:
        read(tmp_path / "a.csv", form, text, numbers=numbers)
    assert "\n" not in str(caught.value)


def test_a_number_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="no column 'cost' for numbers; it has ad, price, age"):
        read(tmp_path / "a.csv", "csv", ANY, columns=MAP, numbers=["cost"])


def test_a_file_cut_short_is_said_to_be(tmp_path):
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(("id,click,hour\n" + "".join(f"{n * 7919},0,14102100\n" for n in range(5000))).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match=r"a\.csv\.gz is cut short or damaged"):
        logs.read(log_formats.opened(path, "avazu", Asked()))


def test_a_long_file_is_read_in_portions(tmp_path, monkeypatch):
    monkeypatch.setattr("sishu.cli.evaluation.tables.PORTION", 2)
    heard = []
    text = "click,a,b\n" + "".join(f"{n % 2},{n},{n / 2}\n" for n in range(5))
    log = logs.read(opened(tmp_path / "a.csv", "csv", text), heard.append)
    assert (log.count, heard, log.numbers["b"].tolist()) == (5, [2, 4, 5], [0, 0.5, 1, 1.5, 2])
    with pytest.raises(InvalidInput, match="line 7, has 'much' as b"):
        read(tmp_path / "a.csv", "csv", text + "1,5,much\n")


def test_each_log_is_parted_by_itself():
    first = ClickLog.of(np.arange(10) % 2, {"log": ["a"] * 10}, times=np.arange(10)[::-1])
    second = ClickLog.of(np.arange(20) % 2, {"log": ["b"] * 20}, times=np.arange(20) + 1000)
    earlier, later = logs.parted([first, second])
    assert (names(earlier, "log"), names(later, "log")) == (["a"] * 7 + ["b"] * 14, ["a"] * 3 + ["b"] * 6)
    assert later.times.tolist() == [7, 8, 9, *range(1014, 1020)]


def test_without_times_several_logs_go_beside_each_other():
    logs_of = [ClickLog.of(np.arange(n) % 2, {"log": [name] * n}) for name, n in (("a", 10), ("b", 20))]
    earlier, later = logs.parted(logs_of)
    assert names(earlier, "log")[:6] == ["a", "b", "b", "a", "b", "b"]
    assert names(later, "log").count("a") == 3


def test_a_column_of_one_name_is_left_out():
    earlier, later = logs.parted([ClickLog.of(np.arange(20) % 2, {"same": [1] * 20, "other": range(20)})])
    assert [list(part.categories) for part in (earlier, later)] == [["other"]] * 2


@pytest.mark.parametrize(
    ("clicked", "said"),
    [
        ([0] * 10, "Of 10 rows not one is clicked"),
        ([1] * 10, "Of 10 rows every one is clicked"),
        ([0] * 9 + [1], "Of the first 70% of the rows 0 of 7 are clicked"),
        ([1, 1] + [0] * 8, "Of the last 30% of the rows 0 of 3 are clicked"),
        ([0, 1] * 4 + [0, 0], "Of the last 30% of the rows 1 of 3 are clicked"),
        ([1], "Of 1 rows every one is clicked"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(clicked, said):
    with pytest.raises(InvalidInput, match=said):
        logs.parted([ClickLog.of(clicked, {"a": range(len(clicked))})])


def test_a_log_that_knows_nothing_is_refused():
    with pytest.raises(InvalidInput, match="Every column holds the same in all rows"):
        logs.parted([ClickLog.of(np.arange(20) % 2, {"same": [1] * 20})])


def test_a_log_comes_back_from_its_file(tmp_path):
    log = ClickLog.of([1, 0], {"a.b": ["广", "b"]}, {"n.m": [1, 2]}, positions=[1, 2], propensities=[0.5, 1])
    kept.write_log(tmp_path / "log.npz", log)
    again = kept.read_log(tmp_path / "log.npz")
    assert (again.count, again.times, again.clicked.tolist()) == (2, None, [1, 0])
    assert (names(again, "a.b"), again.numbers["n.m"].tolist()) == (["广", "b"], [1, 2])
    assert again.categories["a.b"].hashes.tolist() == log.categories["a.b"].hashes.tolist()
    assert (again.positions.tolist(), again.propensities.tolist()) == ([1, 2], [0.5, 1])
