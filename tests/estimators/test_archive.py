"""A model's file is whole, mapped, plain, and refuses what it is not."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest
from scipy import sparse

from sishu.estimators import archive
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids

STATE = {
    "b_": sparse.random(40, 40, 0.2, "csr", random_state=1, dtype=np.float32),
    "mean_": 3.5, "names_": ["a", "b"], "nothing_": None,
    "item_ids_": Ids(["第 1 课", "", "a b", "\ud800"]),
    "empty_": np.empty((0, 3), np.float32),
    "table_": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
}  # fmt: skip


def test_what_is_written_is_read_and_starts_where_a_processor_likes_it(tmp_path):
    path = tmp_path / "model.npz"
    archive.write(path, "Ease", {"l2": 500.0}, STATE)
    params, state = archive.read(path, "Ease")
    assert params == {"l2": 500.0}
    assert state.keys() == STATE.keys()
    assert (state["b_"] != STATE["b_"]).nnz == 0
    assert state["item_ids_"] == STATE["item_ids_"]
    assert (state["mean_"], state["names_"], state["nothing_"]) == (3.5, ["a", "b"], None)
    assert state["table_"].tolist() == STATE["table_"].tolist()
    assert state["empty_"].shape == (0, 3)
    for array in (state["b_"].data, state["b_"].indices, state["table_"]):
        assert array.ctypes.data % archive.ALIGNMENT == 0
        assert not array.flags.writeable


def test_the_numbers_are_mapped_and_not_read(tmp_path):
    path = tmp_path / "model.npz"
    archive.write(path, "Ease", {}, {"b_": sparse.random(9, 9, 0.5, "csr"), "table_": np.ones(5)})
    state = archive.read(path, "Ease")[1]
    for array in (state["table_"], state["b_"].data):
        while not isinstance(array, np.memmap):
            array = array.base  # a view of a view; None, and so an error, once there is nothing mapped below
        assert array.filename == path


def test_numpy_reads_the_same_file(tmp_path):
    path = tmp_path / "model.npz"
    archive.write(path, "Ease", {}, {"table_": np.arange(5)})
    with np.load(path) as file:
        assert file["table_"].tolist() == [0, 1, 2, 3, 4]
    assert zipfile.ZipFile(path).testzip() is None


def test_a_file_cut_short_or_of_another_kind_is_refused_by_name(tmp_path):
    path, cut = tmp_path / "model.npz", tmp_path / "cut.npz"
    archive.write(path, "Ease", {}, STATE)
    with pytest.raises(InvalidInput, match=r"model\.npz holds a model of kind Ease, not Popular"):
        archive.read(path, "Popular")
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match=r"cut\.npz is no saved model, or is cut short"):
            archive.read(cut, "Ease")


def test_numbers_of_numpy_are_saved_as_numbers_and_what_is_no_data_is_refused(tmp_path):
    params = {"top_k": np.int64(3), "l2": np.float32(0.5), "weighted": np.True_}
    archive.write(tmp_path / "a.npz", "Kind", params, {})
    read, _ = archive.read(tmp_path / "a.npz", "Kind")
    assert read == {"top_k": 3, "l2": 0.5, "weighted": True}
    with pytest.raises(InvalidInput, match="cannot be saved: its type object is neither"):
        archive.write(tmp_path / "a.npz", "Kind", {"top_k": object()}, {})
    assert archive.read(tmp_path / "a.npz", "Kind")[0] == read


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, manifest=np.array([{"kind": "Ease"}], dtype=object))
    with pytest.raises(InvalidInput, match="no saved model"):
        archive.read(path, "Ease")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.npz"
    archive.write(path, "Ease", {}, {"table_": np.arange(5)})
    with pytest.raises(InvalidInput):
        archive.write(path, "Ease", {}, {"table_": np.arange(9), "odd_": object()})
    with pytest.raises(ValueError, match="allow_pickle"):
        archive.write(path, "Ease", {}, {"table_": np.array([object()])})
    assert archive.read(path, "Ease")[1]["table_"].tolist() == [0, 1, 2, 3, 4]
    assert os.listdir(tmp_path) == ["model.npz"]


def test_who_has_the_old_file_open_keeps_its_numbers(tmp_path):
    path = tmp_path / "model.npz"
    archive.write(path, "Ease", {}, {"table_": np.arange(5)})
    old = archive.read(path, "Ease")[1]["table_"]
    archive.write(path, "Ease", {}, {"table_": np.zeros(500)})
    assert old.tolist() == [0, 1, 2, 3, 4]
