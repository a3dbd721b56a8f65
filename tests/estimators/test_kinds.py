"""The limits of a search reach every model, also one inside another."""

from __future__ import annotations

import pytest

from sishu.estimators.errors import OverBudget
from sishu.estimators.fusion import Fusion
from sishu.estimators.kinds import RATINGS, TOP_N
from tests.estimators import worlds

TINY = 3000  # bytes


@pytest.mark.parametrize("name", ["ease", "ease-recent"])
def test_a_recommender_keeps_to_its_memory(name: str) -> None:
    kind = TOP_N[name]
    with pytest.raises(OverBudget, match="EASE over"):
        kind.made(kind.candidates[0], TINY).fit(worlds.circles())


@pytest.mark.parametrize(("name", "said"), [("user-knn", "UserKNN"), ("item-knn", "ItemKNN"), ("blend", "ItemKNN")])
def test_a_model_of_ratings_keeps_to_its_memory(name: str, said: str) -> None:
    kind = RATINGS[name]
    with pytest.raises(OverBudget, match=f"{said} with k = 300 of .*Give a lower k"):
        kind.made(kind.candidates[0], TINY).fit(worlds.ratings())


def test_a_fusion_hands_on_what_its_member_may_take_unless_the_member_says_more() -> None:
    with pytest.raises(OverBudget):
        Fusion(members={"ease": {"kind": "Ease"}}, memory_limit=TINY).fit(worlds.circles())
    Fusion(members={"ease": {"kind": "Ease", "settings": {"memory_limit": 2**30}}}, memory_limit=TINY).fit(
        worlds.circles()
    )
