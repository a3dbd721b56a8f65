"""A blend: weights earned on ratings that were not fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sishu.estimators import metrics
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.rating_blend import RatingBlend
from sishu.estimators.ratings import RatingModel
from sishu.estimators.split import folds
from tests.estimators import worlds

WORLD = worlds.ratings(users=200, items=60)
NEIGHBOURS: dict[str, dict[str, Any]] = {
    "bias": {"kind": "Bias"},
    "item-knn": {"kind": "ItemKNN", "settings": {"k": 20}},
}


class OfItem(RatingModel):
    """An item's mean rating, `loudness` times as far from 3 as it is."""

    def __init__(self, *, loudness: float = 0.0) -> None:
        self.loudness, self.lowest, self.highest = loudness, None, None

    def _learn(self, interactions: Interactions, items: Any) -> None:
        self._keep_scale(interactions.weights)
        means = np.bincount(interactions.items, interactions.weights) / np.bincount(interactions.items)
        self.told_ = 3 + self.loudness * (means - 3)

    def _scores(self, past: Any) -> Any:
        return self.told_.astype(np.float32)

    def _rated(self, pasts: Any, readers: Any, items: Any) -> Any:
        return self.told_[items]

    def _contributions(self, past: Any, item: int) -> Any:
        return np.zeros(len(past.items))


def test_a_member_beyond_the_scale_is_weighed_as_it_is_added() -> None:
    users, items = (each.ravel() for each in np.indices((20, 10)))
    stars = np.where(items % 2, 5.0, 1.0)
    world = Interactions.of(users.tolist(), items.tolist(), stars)
    loud = {"kind": "OfItem", "settings": {"loudness": 4.0}}  # 11 and -5
    model = RatingBlend(members={"flat": {"kind": "OfItem"}, "loud": loud}).fit(world)
    assert model.weights_.tolist() == pytest.approx([3 / 4, 1 / 4])
    assert model.score("3") == pytest.approx(np.where(np.arange(10) % 2, 5.0, 1.0))


def test_a_blend_is_the_weighed_sum_of_its_members() -> None:
    model = RatingBlend(members=NEIGHBOURS).fit(WORLD)
    assert list(model.members_) == ["bias", "item-knn"]
    assert model.weights_.sum() == pytest.approx(1)
    bias, neighbours = (member.score(WORLD.history(3)) for member in model.members_.values())
    expected = bias + model.weights_[1] * (neighbours - bias)
    assert model.score("u3") == pytest.approx(expected, abs=1e-4)


def test_it_is_no_worse_than_the_best_of_its_members() -> None:
    split = next(folds(WORLD))

    def error(members: dict[str, dict[str, str]]) -> float:
        predicted = RatingBlend(members=members).fit(split.train).predict(split.test.users, split.test.items)
        return metrics.rmse(split.test.weights, predicted)

    both = {"bias": {"kind": "Bias"}, "item-knn": {"kind": "ItemKNN"}, "mf": {"kind": "MF"}}
    alone = [error({name: member}) for name, member in both.items()]
    assert error(both) < min(alone) + 0.002


def test_a_member_that_helps_nothing_is_left_out() -> None:
    """Where there is no taste, but leaning alone, neighbours are noise."""
    rng = np.random.default_rng(3)
    users, items = (each.ravel() for each in np.indices((80, 50)))
    stars = 50 + rng.normal(0, 5, 80)[users] + rng.normal(0, 5, 50)[items] + rng.normal(0, 5, len(users))
    model = RatingBlend(members={"bias": {"kind": "Bias"}, "mf": {"kind": "MF", "settings": {"reg": 0.01}}})
    model.fit(Interactions.of(users.tolist(), items.tolist(), stars))
    assert model.weights_[list(model.members_).index("bias")] > 0.9


def test_too_few_ratings_to_part_are_left_to_the_first() -> None:
    model = RatingBlend().fit(Interactions.of(["a", "b"], ["x", "y"], [1.0, 5.0]))
    assert list(model.members_) == ["bias"]


@pytest.mark.parametrize("kind", ["Popular", "Rules", "Saved"])
def test_a_member_that_predicts_no_ratings_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match="member 'it'"):
        RatingBlend(members={"it": {"kind": kind}}).fit(WORLD)


def test_no_members_are_refused() -> None:
    with pytest.raises(InvalidInput, match="members is empty"):
        RatingBlend(members={}).fit(WORLD)
