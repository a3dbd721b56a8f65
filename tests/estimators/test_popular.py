"""What most like, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.items import Items
from sishu.estimators.popular import DAY, Popular

NOBODY = History(())
# a: three rows, long ago; b: two, a month later; c: one of five stars, last.
ROWS = Interactions.of("uvwuvw", "aaabbc", [3, 3, 3, 4, 4, 5], np.array([0, 0, 0, 30, 30, 60]) * DAY)
ITEMS = Items(ROWS.item_ids, {"category": ["画|入门", "画", "code"]})


def order(model: Popular, **more) -> str:
    return "".join(each.item_id for each in model.recommend(NOBODY, **more))


def test_weights_add_up():
    model = Popular().fit(ROWS)
    assert model.scores_.tolist() == [9, 8, 5]
    assert order(model) == "abc"


def test_a_half_life_halves():
    model = Popular(half_life=30).fit(ROWS)
    assert model.scores_ == pytest.approx([9 / 4, 8 / 2, 5])
    assert order(model) == "cba"


def test_a_mean_is_believed_by_its_rows():
    mean = (9 + 8 + 5) / 6
    model = Popular(measure="mean", prior=2).fit(ROWS)
    assert model.scores_ == pytest.approx([(9 + 2 * mean) / 5, (8 + 2 * mean) / 4, (5 + 2 * mean) / 3])
    assert Popular(measure="mean", prior=0).fit(ROWS).scores_ == pytest.approx([3, 4, 5])
    assert Popular(measure="mean", prior=1e9).fit(ROWS).scores_ == pytest.approx([mean] * 3)


def test_a_mean_fades_with_its_rows():
    rows = Interactions.of("uv", "aa", [1, 4], [0, 10 * DAY])
    assert Popular(measure="mean", half_life=10, prior=0).fit(rows).scores_ == pytest.approx([(1 / 2 + 4) / 1.5])


def test_the_newest_is_what_appeared_last():
    assert Popular(measure="newest").fit(ROWS).scores_.tolist() == [1, 31, 61]
    assert order(Popular(measure="newest").fit(ROWS)) == "cba"


def test_one_row_of_a_wrong_clock_makes_nothing_else_old():
    now = 1_700_000_000
    rows = Interactions.of("uvuw", "aabc", times=[now, now, now - DAY, 253_370_764_800])
    scores = Popular(half_life=3650).fit(rows).scores_
    assert scores[1] > 0.1  # years after this was written, and still no 2^(-800)
    assert scores[0] == pytest.approx(2 * 2 ** (1 / 3650) * scores[1])


def test_a_segment_has_a_list_of_its_own():
    model = Popular(segment_field="category").fit(ROWS, ITEMS)
    assert order(model, segment="画") == "ab"
    assert order(model, segment="入门") == "a"
    assert order(model, segment="画", exclude=["a"]) == "b"
    assert [each.item_id for each in model.recommend("u", segment="画")] == []
    assert model.recommend("w", 1, segment="画")[0].item_id == "b"
    assert model.recommend(NOBODY, segment="no such label") == []
    assert order(model) == "abc"


def test_similar_items_are_the_popular_of_its_segments(tmp_path):
    Popular(segment_field="category").fit(ROWS, ITEMS).save(tmp_path / "model.npz")
    model = Popular.load(tmp_path / "model.npz")
    assert [each.item_id for each in model.similar("b")] == ["a"]
    assert model.similar("c") == []
    assert Popular().fit(ROWS, ITEMS).similar("a") == []


def test_what_nobody_had_to_do_with_is_left_out():
    rows = ROWS.with_catalogue(["new"])
    for model in (Popular(), Popular(measure="newest"), Popular(measure="mean", prior=0)):
        assert "new" not in {each.item_id for each in model.fit(rows).recommend(NOBODY)}
    assert "new" in {each.item_id for each in Popular(measure="mean").fit(rows).recommend(NOBODY)}


@pytest.mark.parametrize(
    ("params", "fact"),
    [
        ({"measure": "likes"}, "measure is 'likes'; known: weight, mean, newest"),
        ({"half_life": 0}, "half_life is 0"),
        ({"prior": -1}, "prior is -1"),
        ({"segment_field": "category"}, "no items are given"),
    ],
)
def test_settings_out_of_range_are_refused(params, fact):
    with pytest.raises(InvalidInput, match=fact):
        Popular(**params).fit(ROWS)


def test_what_the_data_do_not_hold_is_named():
    untimed = Interactions.of("uv", "ab")
    for params in ({"half_life": 7}, {"measure": "newest"}):
        with pytest.raises(InvalidInput, match="have no times"):
            Popular(**params).fit(untimed)
    with pytest.raises(InvalidInput, match="no field 'tag'; known: category"):
        Popular(segment_field="tag").fit(ROWS, ITEMS)
    with pytest.raises(InvalidInput, match="fit with a segment_field"):
        Popular().fit(ROWS).recommend(NOBODY, segment="画")
