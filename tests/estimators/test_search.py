"""The best of the candidates, within time and memory."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.base import ItemModel
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.search import best_of
from sishu.estimators.split import holdout
from tests.estimators.worlds import circles


class Taught(ItemModel):
    """Items of the reader's group, with so much noise; refuses to be too large."""

    def __init__(self, *, noise: float = 0.0, size: int = 1) -> None:
        self.noise, self.size = noise, size

    def _learn(self, interactions, items):
        if self.size > 9:
            raise OverBudget("This", self.size, 9, "Take less.")
        numbers = np.array([int(name.split()[1]) for name in self.item_ids_])
        self.b_ = (numbers[:, None] % 4 == numbers[None, :] % 4).astype(np.float32)
        self.noise_ = np.random.default_rng(1).normal(0, self.noise, len(numbers)).astype(np.float32)

    def _scores(self, past):
        return self.b_[past.items].sum(axis=0) + self.noise_ * len(past.items)


SPLIT = holdout(circles(users=100))


def test_the_best_is_kept_and_of_equals_the_first():
    found = best_of(Taught, [{"noise": 9.0}, {"noise": 0.0}, {"noise": 0.0, "size": 2}, {"noise": 3.0}], SPLIT)
    assert (found.params, found.tried) == ({"noise": 0.0}, 4)
    assert found.interval.low <= found.ndcg.mean() <= found.interval.high


def test_what_is_too_large_is_passed_over_and_refused_when_all_are():
    assert best_of(Taught, [{"size": 99}, {"noise": 9.0}], SPLIT).params == {"noise": 9.0}
    with pytest.raises(OverBudget, match="This would take about"):
        best_of(Taught, [{"size": 99}, {"size": 100}], SPLIT)


def test_no_further_candidate_begins_when_the_time_is_over():
    assert best_of(Taught, [{"noise": 9.0}, {"noise": 0.0}], SPLIT, seconds=0.0).params == {"noise": 9.0}


def test_nothing_to_choose_from_is_said():
    with pytest.raises(InvalidInput, match="no candidate"):
        best_of(Taught, [], SPLIT)
