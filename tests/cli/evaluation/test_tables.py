"""Files as people have them, and what is wrong with one said by its line."""

from __future__ import annotations

import gzip

import duckdb
import numpy as np
import pytest

from sishu.cli.evaluation.data import ALIASES, column_map, positives, read_interactions, read_items
from sishu.cli.evaluation.tables import Table
from sishu.estimators.errors import InvalidInput

ROWS = "reader,work,stars,when\n王 小明,第 1 课,5,2026-11-01\nb,y,3.5,2026-11-02 08:00:00+08:00\n"
MAP = column_map("user_id=reader,item_id=work,rating=stars,datetime=when")


def table(path, text, **how):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return Table(path, how.pop("columns", {}), ALIASES, **how)


def read(path, text, **how):
    return read_interactions(table(path, text, **how))


def test_columns_go_by_the_names_that_the_file_has(tmp_path):
    rows = read(tmp_path / "a.csv", ROWS, columns=MAP)
    assert (rows.user_ids.names, rows.item_ids.names) == (("王 小明", "b"), ("第 1 课", "y"))
    assert rows.weights.tolist() == [5, 3.5]
    assert rows.times.tolist() == [1_793_491_200, 1_793_577_600]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'User ID,item_id,Rating\nu,"x, ""y""",4\n'),
        ("a.tsv", 'user_id\titem_id\trating\nu\tx, "y"\t4\n'),
        ("a.inter", 'user_id:token\titem_id:token\trating:float\nu\tx, "y"\t4\n'),
        ("a.dat", 'user::item::score\nu::x, "y"::4\n'),
        ("a.csv.gz", 'user;item;stars\nu;"x, ""y""";4\n\n'),
        ("a.txt", 'feedback|uid|iid\n4|u|x, "y"\r\n'),
    ],
)
def test_every_way_of_writing_it_reads_the_same(tmp_path, name, text):
    rows = read(tmp_path / name, text)
    assert (rows.user_ids.names, rows.item_ids.names, rows.weights.tolist()) == (("u",), ('x, "y"',), [4])


def test_a_file_without_a_header_goes_by_numbers(tmp_path):
    rows = read(
        tmp_path / "u.data", "196\t242\t3\t881250949\n", columns=column_map("user_id=1,item_id=2,rating=3,datetime=4")
    )
    assert (rows.user_ids.names, rows.weights.tolist(), rows.times.tolist()) == (("196",), [3], [881_250_949])


def test_parquet_says_what_the_text_says(tmp_path):
    text, packed = tmp_path / "a.csv", tmp_path / "a.parquet"
    text.write_text(ROWS)
    duckdb.read_csv(str(text)).write_parquet(str(packed))
    ours, theirs = (read_interactions(Table(path, MAP, ALIASES)) for path in (text, packed))
    assert ours.user_ids == theirs.user_ids
    assert ours.item_ids == theirs.item_ids
    assert ours.weights.tolist() == theirs.weights.tolist()
    assert ours.times.tolist() == theirs.times.tolist()


@pytest.mark.parametrize(("digits", "unit"), [("1795824001", 1), ("1795824001000", 1000), ("1795824001000000", 10**6)])
def test_times_are_seconds_whatever_they_were_counted_in(tmp_path, digits, unit):
    assert read(tmp_path / "a.csv", f"user,item,time\nu,x,{digits}\n").times.tolist() == [1_795_824_001]


def test_each_time_has_its_own_unit_and_numbers_stand_beside_dates(tmp_path):
    cells = ("1795824001", "1795824002000", "1795824003000000", "2026-11-28 00:00:04", "-0.5", "1969-12-31 23:59:59.5")
    text = "user,item,time\n" + "".join(f"u,x,{cell}\n" for cell in cells)
    assert read(tmp_path / "a.csv", text).times.tolist() == [
        -1, -1, 1_795_824_001, 1_795_824_002, 1_795_824_003, 1_795_824_004,
    ]  # fmt: skip


def test_without_a_rating_or_a_time_each_row_is_one(tmp_path):
    rows = read(tmp_path / "a.csv", "user,item\nu,x\n")
    assert (rows.weights.tolist(), rows.times) == ([1], None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,item,rating\nu,x,5\nu,y,nan\n", r"a\.csv, line 3, has 'nan' as rating"),
        ("user,item,rating\nu,x,inf\n", r"line 2, has 'inf' as rating"),
        ("user,item,rating\nu,x,-1\n", r"line 2, has '-1' as rating: a finite number that is not negative"),
        ('user,item,rating\n"u\n\nv",x,5\n\nu,x,five\n', r"line 6, has 'five' as rating"),
        ("user,item,time\nu,x,gestern\n", r"line 2, has 'gestern' as datetime"),
        ("user,item,time\nu,x,nan\n", r"line 2, has 'nan' as datetime"),
        ("user,item,time\nu,x,1700000000\nu,y,bad\n", r"line 3, has 'bad' as datetime"),
        ("user,item,time\nu,x,2026-11-01\nu,y,inf\nu,z,bad\n", r"line 3, has 'inf' as datetime"),
        ("user,item,time\nu,x,1\nu,y,1e30\n", r"line 3, has '1e30' as datetime: seconds since 1970 or a date"),
        ("user,item,time\nu,x,-1e19\n", r"line 2, has '-1e19' as datetime"),
        ("user,item,rating\nu,,5\n", r"line 2, has an empty item_id"),
        ("user,item,rating\nu,x\n", r"line 2, has 2 columns, and number 3 is wanted"),
        (
            "person,item\nu,x\n",
            r"a\.csv has no column 'user_id'; it has person, item\. Name the columns with --columns",
        ),
        ("", r"a\.csv is empty"),
        ("user,item\n", r"a\.csv has a header and no rows"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_column(tmp_path, text, said):
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / "a.csv", text)


def test_a_file_cut_short_is_said_to_be(tmp_path):
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(("user,item\n" + "".join(f"u{n},x{n * 7919}\n" for n in range(5000))).encode())
    for length in (15, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match=r"a\.csv\.gz is cut short or damaged"):
            read_interactions(Table(path, {}, ALIASES))


def test_a_file_that_is_not_there_or_not_what_it_is_called(tmp_path):
    with pytest.raises(InvalidInput, match="There is no file"):
        read_interactions(Table(tmp_path / "a.csv", {}, ALIASES))
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_interactions(Table(tmp_path, {}, ALIASES))
    with pytest.raises(InvalidInput, match="no Parquet file"):
        read(tmp_path / "a.parquet", ROWS)


def test_text_of_another_encoding_is_named_by_its_line_and_read_once_it_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("user,item\nu,x\nu,café\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"line 3, is not utf-8.*--encoding"):
        read_interactions(Table(path, {}, ALIASES))
    assert read_interactions(Table(path, {}, ALIASES, encoding="latin-1")).item_ids.names == ("x", "café")


def test_a_column_map_that_names_nothing_is_refused(tmp_path):
    for said in ("user_id", "user_id=", "reader=user_id"):
        with pytest.raises(InvalidInput, match="names no column"):
            column_map(said)
    with pytest.raises(InvalidInput, match="has no column 'nobody'"):
        read(tmp_path / "a.csv", ROWS, columns=column_map("user_id=nobody"))


def test_what_is_known_of_items_keeps_its_fields_and_the_first_of_two(tmp_path):
    items = read_items(table(tmp_path / "i.tsv", 'anime_ids\tname\tgenre\n1\t"A" 你好\tDrama\n1\tB\t\n2\tC\tWar\n'))
    assert items.ids.names == ("1", "2")
    assert {name: tuple(texts) for name, texts in items.fields.items()} == {
        "name": ('"A" 你好', "C"),
        "genre": ("Drama", "War"),
    }
    with pytest.raises(InvalidInput, match="no column 'plot'; it has item, name"):
        read_items(table(tmp_path / "i.csv", "item,name\n1,A\n"), ["plot"])


def test_positives_are_the_rows_that_say_yes(tmp_path):
    rows = read(tmp_path / "a.csv", "user,item,rating\nu,x,5\nu,y,3\nv,x,4\nu,x,4\n")
    kept = positives(rows, ">=4")
    assert (len(kept), kept.item_ids.names, np.unique(kept.weights).tolist()) == (2, ("x",), [1])
    with pytest.raises(InvalidInput, match="no condition"):
        positives(rows, "good")
    with pytest.raises(InvalidInput, match=r"No row is >9: the values lie between 3 and 5"):
        positives(rows, ">9")


def test_a_long_file_is_read_in_portions(tmp_path, monkeypatch):
    monkeypatch.setattr("sishu.cli.evaluation.tables.PORTION", 2)
    heard = []
    text = "user,item,rating\n" + "".join(f"u{n % 3},x{n},{n}\n" for n in range(5))
    rows = read_interactions(table(tmp_path / "a.csv", text), heard.append)
    assert (len(rows), heard) == (5, [2, 4, 5])
    with pytest.raises(InvalidInput, match="line 7, has 'bad'"):
        read(tmp_path / "a.csv", text + "u,x,bad\n")
