"""A member earns its weight on people it was not fitted on, or it has none."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators import fusion
from sishu.estimators.base import ItemModel, Past, Reason, Scored
from sishu.estimators.errors import InvalidInput
from sishu.estimators.fusion import Fusion
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.ranking import rank
from sishu.estimators.recent import Recent
from sishu.estimators.split import holdout
from tests.estimators.worlds import circles

ITEMS, GROUPS = 40, 4


class OfGroup(ItemModel):
    """Knows the groups of `worlds.circles` by heart, for items on one side of the middle; of the others nothing."""

    is_additive = True

    def __init__(self, *, upper: bool = False, scale: float = 1.0) -> None:
        self.upper, self.scale = upper, scale

    def _learn(self, interactions, items):
        numbers = np.array([int(name.split()[1]) for name in self.item_ids_])
        known = (numbers >= ITEMS // 2) == self.upper
        same = numbers[:, None] % GROUPS == numbers[None, :] % GROUPS
        self.b_ = (same & known[None, :]).astype(np.float32) * np.float32(self.scale)

    def _scores(self, past):
        return past.weights @ self.b_[past.items]

    def _contributions(self, past, item):
        return past.weights * self.b_[past.items, item]


class Noise(ItemModel):
    """Scores that mean nothing, the same for everybody."""

    needs_history = False

    def _learn(self, interactions, items):
        self.noise_ = np.random.default_rng(5).random(len(self.item_ids_)).astype(np.float32)

    def _scores(self, past):
        return self.noise_


WORLD = circles(users=200, items=ITEMS, groups=GROUPS, events=8)
MEMBERS = {
    "lower": {"kind": "OfGroup", "settings": {"upper": False}},
    "upper": {"kind": "OfGroup", "settings": {"upper": True, "scale": 1000.0}},
    "noise": {"kind": "Noise"},
}


@pytest.fixture(scope="module")
def fused():
    return Fusion(members=MEMBERS).fit(WORLD)


def test_what_completes_another_is_kept_whatever_its_scale_and_what_says_nothing_is_not(fused):
    split = holdout(WORLD)
    both = rank(Fusion(members=MEMBERS).fit(split.train), split).ndcg().mean()
    alone = rank(OfGroup().fit(split.train), split).ndcg().mean()
    assert both > alone + 0.1
    assert fused.gains_.keys() == MEMBERS.keys() - {"lower"} or fused.gains_.keys() == MEMBERS.keys() - {"upper"}
    weights = dict(zip(fused.members_, fused.weights_[2], strict=True))
    assert min(weights["lower"], weights["upper"]) > 0
    assert weights.get("noise", 0) == 0


def test_somebody_without_a_past_hears_only_those_that_need_none(fused):
    assert fused.weights_[0].tolist() == [float(name == "noise") for name in fused.members_]
    assert [each.item_id for each in fused.recommend(History(()), 3)] == [
        each.item_id for each in Noise().fit(WORLD).recommend(History(()), 3)
    ]


def test_scores_are_each_members_by_its_highest_in_the_readers_bucket():
    model = Fusion(members={"lower": MEMBERS["lower"], "upper": MEMBERS["upper"]}).fit(WORLD)
    model.weights_ = np.array([[0, 0], [1, 0], [0, 2], [0.5, 0.25]])
    groups = np.array([int(name.split()[1]) % GROUPS for name in WORLD.item_ids])
    numbers = np.array([int(name.split()[1]) for name in WORLD.item_ids])
    lower, upper = numbers < ITEMS // 2, numbers >= ITEMS // 2
    for taken, expected in ((1, lower * 1.0), (3, upper * 2.0), (10, lower * 0.5 + upper * 0.25)):
        own = np.flatnonzero(groups == 1)
        history = History(tuple(WORLD.item_ids.many(np.resize(own[:2], taken))))
        assert model.score(history).tolist() == pytest.approx((expected * (groups == 1)).tolist())


def test_explanations_add_up(fused):
    reader = "u3"
    for item in fused.recommend(reader, 3):
        reasons = fused.explain(reader, item.item_id)
        assert sum(reason.contribution for reason in reasons) == pytest.approx(item.score, rel=1e-5)


def test_a_history_belongs_to_the_last_bound_that_it_reaches():
    assert [fusion.bucket(length) for length in (0, 1, 2, 3, 9, 10, 50_000)] == [0, 1, 1, 2, 2, 3, 3]


def test_who_has_everything_is_recommended_nothing(fused):
    assert fused.recommend(History(tuple(WORLD.item_ids)), 3) == []


def test_a_fusion_is_saved_with_its_members(fused, tmp_path):
    fused.save(tmp_path / "fusion.npz")
    again = Fusion.load(tmp_path / "fusion.npz")
    assert again.score("u5").tolist() == fused.score("u5").tolist()
    assert list(again.members_) == list(fused.members_)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"members": {}}, "members is empty"),
        ({"members": {"x": {"kind": "os.system"}}}, "must be the class of a recommender"),
        ({"members": MEMBERS, "protocol": "guess"}, "known: ratio, leave-last, time, cold"),
    ],
)
def test_what_cannot_be_fused_is_refused(wrong, said):
    with pytest.raises(InvalidInput, match=said):
        Fusion(**wrong).fit(WORLD)


# --- A history that fades ---------------------------------------------------------------------------


def test_recent_weighs_what_was_done_last():
    rows = Interactions.of(["a", "a", "a"], ["第 0 课", "第 1 课", "第 2 课"], [1, 2, 4])
    model = Recent(kind="OfGroup", tau=2.0).fit(rows)
    weights = [1 * np.exp(-1), 2 * np.exp(-0.5), 4]
    assert model.score("a").tolist() == pytest.approx(weights)
    assert model.explain("a", "第 1 课") == [Reason("第 1 课", pytest.approx(weights[1]))]
    past = Past(np.array([0, 1]), np.ones(2, np.float32))
    assert model.score_many([past])[0].tolist() == pytest.approx([np.exp(-0.5), 1, 0])


def test_recent_is_saved_with_what_it_asks(tmp_path):
    model = Recent(kind="OfGroup", settings={"scale": 3.0}).fit(WORLD)
    model.save(tmp_path / "recent.npz")
    again = Recent.load(tmp_path / "recent.npz")
    assert again.recommend("u1", 2) == model.recommend("u1", 2)
    assert isinstance(again.recommend("u1", 1)[0], Scored)
    with pytest.raises(InvalidInput, match="tau is 0"):
        Recent(kind="OfGroup", tau=0).fit(WORLD)
    with pytest.raises(InvalidInput, match="kind is 'Nobody'"):
        Recent(kind="Nobody").fit(WORLD)
