"""Other people's libraries answer as ours do; each is tried where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.cli.evaluation import lists, ratings
from sishu.estimators.items import Items
from sishu.estimators.ranking import test_users as users_of
from sishu.estimators.split import PROTOCOLS, folds
from tests.estimators import worlds

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs


@pytest.mark.parametrize("name", lists.PEERS)
def test_lists_hold_what_is_liked_and_nothing_that_is_known(name):
    peer = lists.PEERS[name]
    pytest.importorskip(peer.module)
    split = PROTOCOLS["ratio"](worlds.circles(users=120), 1)
    asked = users_of(split)
    titles = [f"circle{int(item.split()[1]) % 4}" for item in split.train.item_ids]
    items = Items(split.train.item_ids, {"title": titles})
    ranked = peer.fit(split.train, items, 1, **peer.candidates[0]).rank(split, 10, asked)
    assert ranked.ndcg(10).mean() > 0.3
    for user, items in zip(asked.tolist(), ranked.items, strict=True):
        assert not set(items[items >= 0].tolist()) & set(split.train.matrix[user].indices.tolist())


@pytest.mark.parametrize("name", ratings.PEERS)
def test_ratings_are_nearer_than_the_mean_is(name):
    peer = ratings.PEERS[name]
    pytest.importorskip(peer.module)
    part = next(folds(worlds.ratings().latest(), 5, 1))
    said = peer.fit(part.train, 1, **peer.candidates[0]).predict(part.test.users, part.test.items)
    wrong, mean = part.test.weights - said, part.test.weights - part.train.weights.mean()
    assert np.square(wrong).mean() < np.square(mean).mean()
