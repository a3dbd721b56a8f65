"""It chooses, within its means, and says why."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.auto import Auto
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.popular import Popular
from sishu.estimators.ranking import rank
from sishu.estimators.split import holdout
from tests.estimators.worlds import circles

WORLD = circles(users=150)


@pytest.fixture(scope="module")
def chosen():
    split = holdout(WORLD)
    return split, Auto(seconds=20).fit(split.train)


def test_it_is_better_than_what_everybody_likes(chosen):
    split, model = chosen
    assert rank(model, split).ndcg().mean() > rank(Popular().fit(split.train), split).ndcg().mean() + 0.2


def test_it_says_what_it_chose_out_of_what_and_why(chosen):
    _, model = chosen
    assert model.reason_.startswith("Chosen by NDCG@10 of 150 users on an inner ratio split, out of ")
    best = next(iter(model.chosen_params_["members"]))
    assert f"{best} is best alone, with " in model.reason_
    assert "popular adds" in model.reason_
    assert "content" not in model.reason_  # there are no words
    assert model.fit_seconds_ > 0


def test_somebody_new_hears_what_everybody_likes(chosen):
    split, model = chosen
    new = [each.item_id for each in model.recommend(History(()), 5)]
    assert len(new) == 5
    assert model.recommend("nobody", 5) == model.recommend(History(()), 5)
    counts = dict(zip(split.train.item_ids, np.bincount(split.train.items), strict=True))
    assert counts[new[0]] == max(counts.values())


def test_it_is_saved_with_what_it_chose(chosen, tmp_path):
    _, model = chosen
    model.save(tmp_path / "auto.npz")
    again = Auto.load(tmp_path / "auto.npz")
    assert again.recommend("u7", 5) == model.recommend("u7", 5)
    assert again.similar("第 3 课", 3) == model.similar("第 3 课", 3)
    assert again.reason_ == model.reason_


def test_the_same_seed_chooses_the_same(chosen):
    split, model = chosen
    again = Auto(seconds=20).fit(split.train)
    assert again.recommend("u7", 5) == model.recommend("u7", 5)


def test_with_too_little_to_ask_about_it_says_so_and_takes_the_most_popular():
    rows = Interactions.of(["a", "a", "b"], ["x", "y", "x"])
    model = Auto().fit(rows)
    assert model.reason_ == "There is too little to part and to ask about, so the most popular is recommended."
    assert [each.item_id for each in model.recommend("b", 3)] == ["y"]
    assert Auto().fit(Interactions.of(["a"], ["x"])).recommend("a", 3) == []


def test_without_times_what_goes_by_time_is_not_tried():
    untimed = Interactions(WORLD.user_ids, WORLD.item_ids, WORLD.users, WORLD.items, WORLD.weights)
    model = Auto(seconds=5).fit(untimed)
    assert model.reason_.startswith("Chosen by NDCG@10")
    assert "half_life" not in model.reason_


def test_a_model_over_its_memory_is_not_tried_and_named():
    model = Auto(memory_limit=2000, seconds=20).fit(WORLD)
    assert "was not tried: " in model.reason_
    assert "2000" in model.reason_ or "is allowed" in model.reason_
    assert model.recommend("u1", 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"protocol": "cv"}, "protocol is 'cv'"),
        ({"seconds": 0}, "seconds is 0"),
        ({"memory_limit": -1}, "memory_limit is -1"),
    ],
)
def test_a_parameter_out_of_range_is_refused(wrong, said):
    with pytest.raises(InvalidInput, match=said):
        Auto(**wrong).fit(WORLD)
