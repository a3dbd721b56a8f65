"""Several recommenders as one, each with the weight it earned.

    s(u, i) = Σ_m w_m(n_u) s_m(u, i) / max_j s_m(u, j)

over members m; j runs over what the reader does not have; n_u is the length of the history, in `BUCKETS`. A member's
weight in a bucket is found on a part of the data that it was not fitted on, one member after the other, and it keeps
its place only when NDCG@10 of the same users, paired, is better with it in 95 of 100 draws: a second model of the same
signal adds nothing but its cost (Cormack et al. 2009 fuse ranks blindly; here a member must earn it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators import intervals, metrics
from sishu.estimators.base import ItemModel, Past, Saved, Scores, top
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.ranking import some_users
from sishu.estimators.split import PROTOCOLS, Split

BUCKETS = (0, 1, 3, 10)  # a history belongs to the last bound that it reaches
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5)
DEEP = 100  # an item that is among the first so many of no member does not reach the first ten of their sum
FEWEST_USERS = 100  # a bucket with fewer keeps the weights of all
K = 10
AT_MOST_USERS = 2000


class Fusion(ItemModel):
    """Members by name: `{"ease": {"kind": "Ease", "settings": {"l2": 300.0}}, …}`, weighed under `protocol`."""

    needs_history = False

    members_: dict[str, ItemModel]
    weights_: NDArray[np.float64]  # buckets x members
    gains_: dict[str, list[float]]  # of each member that was weighed: gain and its bounds, in NDCG@10

    def __init__(self, *, members: Mapping[str, Mapping[str, Any]], protocol: str = "ratio", seed: int = 0) -> None:
        self.members, self.protocol, self.seed = members, protocol, seed

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        if not self.members:
            raise InvalidInput("members is empty: name at least one.")
        if self.protocol not in PROTOCOLS:
            raise InvalidInput(f"protocol is {self.protocol!r}; known: {', '.join(PROTOCOLS)}.")
        if len(self.members) > 1:
            inner = PROTOCOLS[self.protocol](interactions, self.seed + 2)
            weights, self.gains_ = weigh(
                {name: self._made(name).fit(inner.train, items) for name in self.members}, inner
            )
        else:
            weights, self.gains_ = np.ones((len(BUCKETS), 1)), {}
        kept = [place for place, name in enumerate(self.members) if weights[:, place].any()]
        names = list(self.members)
        self.members_ = {names[place]: self._made(names[place]).fit(interactions, items).inside() for place in kept}
        self.weights_ = weights[:, kept]

    def _made(self, name: str) -> ItemModel:
        spec = self.members[name]
        kind = Saved.kinds.get(spec["kind"])
        if kind is None or not issubclass(kind, ItemModel):
            raise InvalidInput(
                f"The kind of member {name!r} is {spec['kind']!r}: it must be the class of a recommender."
            )
        return kind(**spec.get("settings", {}))

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        total = np.zeros((len(pasts), len(self.item_ids_)), np.float32)
        buckets = np.array([bucket(len(past.items)) for past in pasts])
        for place, model in enumerate(self.members_.values()):
            weights = self.weights_[buckets, place]
            asked = [int(row) for row in np.flatnonzero(weights) if model._may_speak(pasts[int(row)])]
            if asked:
                theirs = [pasts[row] for row in asked]
                scores = normalised(model.score_many(theirs), theirs)
                total[asked] += weights[asked, None].astype(np.float32) * scores
        return total

    def _scores(self, past: Past) -> Scores:
        return self.score_many([past])[0]

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        """What each thing done brings to the sum, as each member says it, in the members' shares."""
        parts = np.zeros(len(past.items))
        weights = self.weights_[bucket(len(past.items))]
        for weight, model in zip(weights, self.members_.values(), strict=True):
            if weight and len(past.items):
                highest = _highest(np.array(model._scores(past))[None], [past])[0]
                parts += weight * model._contributions(past, item) / highest
        return parts


def bucket(length: int) -> int:
    """Which of `BUCKETS` a history of this length belongs to."""
    return int(np.searchsorted(BUCKETS, length, side="right")) - 1


def normalised(scores: Scores, pasts: Sequence[Past]) -> Scores:
    """Scores by the highest of what the reader does not have; (readers, items)."""
    return scores / _highest(scores, pasts)[:, None]


def _highest(scores: Scores, pasts: Sequence[Past]) -> NDArray[np.float32]:
    free = np.array(scores)
    for row, past in enumerate(pasts):
        free[row, past.items] = -np.inf
    highest = free.max(axis=1)
    # Somebody who has everything, or whom a member would give nothing: no weight makes that a recommendation.
    return np.where(np.isfinite(highest) & (highest > 0), highest, np.float32(np.inf))


@dataclass(frozen=True, eq=False)
class _Asked:
    """The candidates of some users, as all members score them: (users, candidates, members), and which were right."""

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    counts: NDArray[np.int64]
    buckets: NDArray[np.int64]

    def ndcg(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each user, with the members weighed so; weights (members,) or one row a user."""
        total = np.einsum("ucm,um->uc", self.scores, np.broadcast_to(weights, self.scores.shape[::2]))
        best = np.argsort(-total, axis=1, kind="stable")[:, :K]
        return metrics.ndcg(np.take_along_axis(self.right, best, axis=1), self.counts)


def weigh(members: Mapping[str, ItemModel], split: Split) -> tuple[NDArray[np.float64], dict[str, list[float]]]:
    """The weights of members fitted on `split.train`, (buckets, members), and what each brought.

    A bucket without histories of its length to learn from has the weights of all.
    """
    asked = _ask(list(members.values()), split)
    alone = [asked.ndcg(row).mean() for row in np.eye(len(members))]
    order = np.argsort(-np.array(alone), kind="stable")
    common = np.zeros(len(members))
    common[order[0]] = 1.0
    gains: dict[str, list[float]] = {}
    names = list(members)
    for place in order[1:]:
        common, gain = _with(asked, common, int(place))
        gains[names[place]] = [gain.value, gain.low, gain.high]
    weights = np.tile(common, (len(BUCKETS), 1))
    for number in range(len(BUCKETS)):
        mask = asked.buckets == number
        if mask.sum() >= FEWEST_USERS:
            part = _Asked(asked.scores[mask], asked.right[mask], asked.counts[mask], asked.buckets[mask])
            own = common
            for place in order:
                own, _ = _with(part, own, int(place))
            weights[number] = own
    weights[0] = [float(not model.needs_history) for model in members.values()]  # nothing else may speak
    return weights, gains


def _with(asked: _Asked, weights: NDArray[np.float64], place: int) -> tuple[NDArray[np.float64], intervals.Interval]:
    """The weights with a better one of one member, when it is surely better; and how much it is at best."""
    before = asked.ndcg(weights)
    tried = [np.where(np.arange(len(weights)) == place, weight, weights) for weight in WEIGHTS]
    results = [asked.ndcg(each) if each.any() else np.zeros_like(before) for each in tried]
    best = int(np.argmax([result.mean() for result in results]))
    gain = intervals.of_difference(results[best], before)
    return (tried[best] if gain.low > 0 else weights), gain


def _ask(members: Sequence[ItemModel], split: Split) -> _Asked:
    users = some_users(split, AT_MOST_USERS)
    width = DEEP * len(members)
    scores = np.zeros((len(users), width, len(members)), np.float32)
    right = np.zeros((len(users), width), bool)
    relevant = split.test.matrix
    left = None
    if split.candidates is not None:
        left = np.setdiff1d(np.arange(len(split.train.item_ids)), split.candidates, assume_unique=True)
    lengths = np.zeros(len(users), np.int64)
    for row, user in enumerate(users):
        past = members[0].past_of(user)
        lengths[row] = len(past.items)
        each = [
            normalised(np.array(model._scores(past))[None], [past])[0]
            if model._may_speak(past) else np.zeros(len(split.train.item_ids), np.float32)
            for model in members
        ]  # fmt: skip
        found = np.unique(np.concatenate([_free_top(of_one, past, left) for of_one in each]))
        scores[row, : len(found)] = np.stack([of_one[found] for of_one in each], axis=1)
        scores[row, len(found) :] = -1e9  # no candidate; times a weight of zero it must still be a number
        right[row, : len(found)] = np.isin(found, relevant[user].indices)
    counts = np.diff(relevant[users].indptr).astype(np.int64)
    return _Asked(scores, right, counts, np.array([bucket(length) for length in lengths.tolist()]))


def _free_top(scores: Scores, past: Past, left: NDArray[np.int64] | None) -> NDArray[np.int64]:
    free = np.array(scores)
    free[past.items] = -np.inf
    if left is not None:
        free[left] = -np.inf
    return top(free, DEEP)
