"""The lists that a model would show the users of a test."""

from __future__ import annotations

import numpy as np

from sishu.estimators.base import ItemModel, Past
from sishu.estimators.interactions import Interactions
from sishu.estimators.ranking import rank
from sishu.estimators.split import Split

ROWS = Interactions.of(["a", "a", "b", "b"], ["w", "x", "y", "z"])
TRAIN, TEST = ROWS.take(np.array([0, 2])), ROWS.take(np.array([1, 3]))


class Fixed(ItemModel):
    """The same scores for everybody."""

    def __init__(self, *scores: float) -> None:
        self.scores = scores

    def _learn(self, interactions, items):
        pass

    def _scores(self, past: Past):
        return np.array(self.scores, np.float32)


class Sparse(Fixed):
    zero_says_nothing = True


def test_what_train_holds_is_left_out_and_lists_end_early():
    ranked = rank(Fixed(4, 3, 2, 1).fit(TRAIN), Split(TRAIN, TEST), k=4)
    assert ranked.items.tolist() == [[1, 2, 3, -1], [0, 1, 3, -1]]
    assert ranked.ndcg().tolist() == [1, 1 / np.log2(4)]
    assert ranked.coverage() == 1


def test_only_candidates_are_ranked_and_of_equals_the_first_of_them():
    split = Split(TRAIN, TEST, candidates=np.array([3, 1, 0]))
    assert rank(Fixed(1, 1, 9, 1).fit(TRAIN), split, k=2).items.tolist() == [[3, 1], [3, 1]]


def test_nothing_is_ranked_by_a_score_that_says_nothing():
    ranked = rank(Sparse(0, 2, 0, -1).fit(TRAIN), Split(TRAIN, TEST), k=3)
    assert ranked.items.tolist() == [[1, 3, -1], [1, 3, -1]]
