"""Walks of three steps, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.rp3beta import RP3Beta
from tests.estimators import worlds

# u has a and b, v has b and c, w has c alone.
SMALL = Interactions.of("uuvvw", "abbcc")


def weight(model: RP3Beta, first: str, then: str) -> float:
    ids = model.item_ids_.by_name
    return float(model.weights_[ids[first], ids[then]])


def test_chances_of_each_step_are_multiplied():
    model = RP3Beta(alpha=1, beta=0).fit(SMALL)
    assert weight(model, "a", "b") == pytest.approx(1 * 1 / 2)  # a → u for sure, u → b or a
    assert weight(model, "b", "a") == pytest.approx(1 / 2 * 1 / 2)
    assert weight(model, "b", "c") == pytest.approx(1 / 2 * 1 / 2)
    assert weight(model, "c", "b") == pytest.approx(1 / 2 * 1 / 2)
    assert weight(model, "a", "c") == weight(model, "a", "a") == 0


def test_alpha_bends_chances_and_beta_takes_from_the_popular():
    model = RP3Beta(alpha=0.5, beta=0.7).fit(SMALL)
    assert weight(model, "a", "b") == pytest.approx((1 * 1 / 2) ** 0.5 / 2**0.7)
    assert weight(model, "b", "a") == pytest.approx((1 / 2 * 1 / 2) ** 0.5 / 1**0.7)


def test_heavy_edges_are_walked_rather_where_asked():
    rows = Interactions.of("uuu", "abc", [1, 3, 0])
    model = RP3Beta(alpha=2, beta=1, weighted=True).fit(rows)
    assert weight(model, "a", "b") == pytest.approx((3 / 4) ** 2 / 3)
    assert weight(model, "a", "c") == 0
    assert weight(RP3Beta(alpha=2, beta=1).fit(rows), "a", "b") == pytest.approx((1 / 2) ** 2 / 1)


@pytest.mark.parametrize(("alpha", "beta", "top_k"), [(0.8, 0.6, 400), (1.0, 0.0, 7), (0.3, 1.2, 3)])
def test_weights_are_those_of_whole_matrices(alpha, beta, top_k):
    rows = worlds.circles()
    edges = rows.matrix.toarray().astype(np.float64)
    to_items = (edges / edges.sum(axis=1, keepdims=True)) ** alpha
    to_users = (edges / edges.sum(axis=0)) ** alpha
    expected = to_users.T @ to_items / edges.sum(axis=0) ** beta
    np.fill_diagonal(expected, 0)
    model = RP3Beta(alpha=alpha, beta=beta, top_k=top_k).fit(rows)
    for got, whole in zip(model.weights_.toarray(), expected, strict=True):
        kept = np.flatnonzero(got)
        assert len(kept) == min(top_k, np.count_nonzero(whole))
        assert got[kept] == pytest.approx(whole[kept], rel=1e-5)
        assert np.sort(got[kept]) == pytest.approx(np.sort(whole)[::-1][: len(kept)][::-1], rel=1e-5)


def test_blocks_do_not_change_the_weights(monkeypatch):
    rows = worlds.circles()
    whole = RP3Beta().fit(rows).weights_
    monkeypatch.setattr("sishu.estimators.rp3beta.BLOCK_CELLS", 3 * len(rows.item_ids))
    assert np.array_equal(RP3Beta().fit(rows).weights_.toarray(), whole.toarray())


def test_what_no_walk_reaches_is_not_recommended():
    rows = Interactions.of("uuvvxx", "abbcyz")
    model = RP3Beta().fit(rows)
    assert {each.item_id for each in model.recommend(History(("a",)), 10)} == {"b"}
    assert model.recommend(History(("a",), (0.0,)), 10) == []


def test_similar_items_are_where_a_walk_from_one_ends():
    assert [each.item_id for each in RP3Beta().fit(SMALL).similar("b", 5)] == ["a", "c"]


def test_an_item_that_nobody_has_is_no_trouble():
    model = RP3Beta().fit(SMALL.with_catalogue(["new"]))
    assert model.recommend(History(("new",))) == []
    assert "new" not in {each.item_id for each in model.recommend("u")}


def test_a_user_of_fifty_thousand_events_is_learnt():
    items = [f"i{event % 500}" for event in range(50_000)]
    model = RP3Beta(top_k=10).fit(Interactions.of(["eager"] * len(items) + ["calm"] * 2, [*items, "i3", "i7"]))
    assert model.recommend(History(("i3",)), 1)[0].item_id == "i7"


def test_parameters_out_of_range_are_refused():
    for name, value in (("alpha", 0), ("beta", -1), ("top_k", 0), ("memory_limit", 0)):
        with pytest.raises(InvalidInput, match=name):
            RP3Beta(**{name: value}).fit(SMALL)


def test_what_would_take_too_much_is_refused():
    with pytest.raises(OverBudget, match=r"RP3beta over 3 items .* smaller top_k"):
        RP3Beta(memory_limit=300).fit(SMALL)
