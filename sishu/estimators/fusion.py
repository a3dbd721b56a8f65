"""Several recommenders as one, each with the weight it earned.

    s(u, i) = Σ_m w_m(n_u) s_m(u, i) / max_j s_m(u, j)

over members m; j runs over what the reader does not have; n_u is the length of the history, in `BUCKETS`. A member's
weight is found on parts of the data that it was not fitted on, one member after the other, and it keeps its place only
when NDCG@10 of the same users, paired, is better with it in 95 of 100 draws of them: a second model of the same signal
adds nothing but its cost (Cormack et al. 2009 fuse ranks blindly; here a member must earn it). A bucket with enough
users of its own may weigh otherwise than all, by the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators import intervals, metrics
from sishu.estimators.base import ItemModel, Past, Saved, Scores, bounded, top
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.intervals import Interval
from sishu.estimators.items import Items
from sishu.estimators.ranking import some_users, test_users
from sishu.estimators.split import PROTOCOLS, Split, repeated

BUCKETS = (0, 1, 3, 10)  # a history belongs to the last bound that it reaches
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5)
DEEP = 100  # an item that is among the first so many of no member does not reach the first ten of their sum
FEWEST_USERS = 200  # a bucket with fewer keeps the weights of all
ENOUGH_USERS, MOST_PARTS = 3000, 3
K = 10


class Fusion(ItemModel):
    """Members by name: `{"ease": {"kind": "Ease", "settings": {"l2": 300.0}}, …}`, weighed under `protocol`.

    `memory_limit` in bytes is handed to each member that knows one, and bounds its fit alone: members that are weighed
    or kept are held side by side.
    """

    needs_history = False
    zero_says_nothing = True

    members_: dict[str, ItemModel]
    weights_: NDArray[np.float64]  # buckets x members
    first_: str  # the member that was best alone
    gains_: dict[str, list[float]]  # of each other one that was weighed: gain and its bounds, in NDCG@10

    def __init__(
        self,
        *,
        members: Mapping[str, Mapping[str, Any]],
        protocol: str = "ratio",
        memory_limit: int = 4 * 2**30,
        seed: int = 0,
    ) -> None:
        self.members, self.protocol, self.memory_limit, self.seed = members, protocol, memory_limit, seed

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        if not self.members:
            raise InvalidInput("members is empty: name at least one.")
        if self.protocol not in PROTOCOLS:
            raise InvalidInput(f"protocol is {self.protocol!r}; known: {', '.join(PROTOCOLS)}.")
        names = list(self.members)
        weights, self.first_, self.gains_ = np.ones((len(BUCKETS), 1)), names[0], {}
        if len(names) > 1:
            weights, self.first_, self.gains_ = weigh(self._ask(interactions, items), names)
            # Only these may speak to somebody who did nothing yet, and nobody of those could be asked.
            weights[0] = [float(not self._made(name).needs_history) for name in names]
        kept = [place for place in range(len(names)) if weights[:, place].any()]
        self.members_ = {names[place]: self._made(names[place]).fit(interactions, items).inside() for place in kept}
        self.weights_ = weights[:, kept]

    def _ask(self, interactions: Interactions, items: Items | None) -> Asked:
        """All members about readers they were not fitted on, three times where these are few."""
        first = PROTOCOLS[self.protocol](interactions, self.seed + 2)
        times = min(MOST_PARTS, max(1, ENOUGH_USERS // len(test_users(first))))
        parts = []
        for split in repeated(self.protocol, interactions, self.seed + 2, times):
            parts.append(ask([self._made(name).fit(split.train, items) for name in self.members], split))
        return Asked(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Asked)))

    def _made(self, name: str) -> ItemModel:
        spec = self.members[name]
        kind = Saved.kinds.get(spec["kind"])
        if kind is None or not issubclass(kind, ItemModel):
            raise InvalidInput(
                f"The kind of member {name!r} is {spec['kind']!r}: it must be the class of a recommender."
            )
        return kind(**bounded(kind, spec.get("settings", {}), self.memory_limit))

    def weights_of(self, name: str) -> NDArray[np.float64]:
        """The weight of a member in each bucket, zeros for one that was left out."""
        names = list(self.members_)
        return self.weights_[:, names.index(name)] if name in names else np.zeros(len(BUCKETS))

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
class Asked:
    """The candidates of some users, as all members score them: (users, candidates, members), and which were right."""

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]  # (users, candidates)
    counts: NDArray[np.int64]  # (users,): how many are right, among the candidates or not
    buckets: NDArray[np.int64]  # (users,)

    def ndcg(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each user, with the members weighed so, (members,)."""
        best = np.argsort(-(self.scores @ weights.astype(np.float32)), axis=1, kind="stable")[:, :K]
        return metrics.ndcg(np.take_along_axis(self.right, best, axis=1), self.counts)

    def of_bucket(self, number: int) -> Asked:
        mask = self.buckets == number
        return Asked(*(getattr(self, field.name)[mask] for field in fields(self)))


def ask(members: Sequence[ItemModel], split: Split) -> Asked:
    """What members fitted on `split.train` say to users of its test."""
    users = some_users(split, ENOUGH_USERS)
    item_count, relevant = len(split.train.item_ids), split.relevant
    others = np.zeros(item_count, bool)
    if split.candidates is not None:
        others[:] = True
        others[split.candidates] = False
    # Where somebody has fewer candidates the rest is far below all others, whatever the weights.
    scores = np.full((len(users), DEEP * len(members), len(members)), -1e9, np.float32)
    right = np.zeros(scores.shape[:2], bool)
    pasts = [members[0].past_of(user) for user in users.tolist()]
    for row, past in enumerate(pasts):
        silent = np.zeros(item_count, np.float32)
        each = np.stack([model._scores(past) if model._may_speak(past) else silent for model in members])
        each = normalised(each, [past] * len(members))
        free = np.where(others, np.float32(-np.inf), each)
        free[:, past.items] = -np.inf
        found = np.unique(np.concatenate([top(of_one, DEEP) for of_one in free]))
        scores[row, : len(found)] = each[:, found].T
        right[row, : len(found)] = np.isin(found, relevant[users[row]].indices)
    counts = np.diff(relevant[users].indptr).astype(np.int64)
    return Asked(scores, right, counts, np.array([bucket(len(past.items)) for past in pasts]))


def weigh(asked: Asked, names: Sequence[str]) -> tuple[NDArray[np.float64], str, dict[str, list[float]]]:
    """The weights, (buckets, members), the member best alone, and what each other one brought to those before it.

    That is its gain with both bounds, in NDCG@10.
    """
    alone = [asked.ndcg(row).mean() for row in np.eye(len(names))]
    order = np.argsort(-np.array(alone), kind="stable")
    common, gains = _earned(asked, np.eye(len(names))[order[0]], order)
    weights = np.tile(common, (len(BUCKETS), 1))
    parts = [asked.of_bucket(number) for number in range(len(BUCKETS))]
    for number, part in enumerate(parts):
        if FEWEST_USERS <= len(part.counts) < len(asked.counts):
            weights[number], _ = _earned(part, common, order)
    return weights, names[order[0]], {names[place]: [gain.value, gain.low, gain.high] for place, gain in gains.items()}


def _earned(
    asked: Asked, weights: NDArray[np.float64], order: NDArray[np.int64]
) -> tuple[NDArray[np.float64], dict[int, Interval]]:
    """Better weights, member by member, twice: what one earns depends on what the others have."""
    gains: dict[int, Interval] = {}
    for turn in range(2):
        for place in order.tolist():
            before = asked.ndcg(weights)
            tried = [np.where(np.arange(len(weights)) == place, weight, weights) for weight in WEIGHTS]
            results = [asked.ndcg(each) if each.any() else np.zeros_like(before) for each in tried]
            best = int(np.argmax([result.mean() for result in results]))
            gain = intervals.of_difference(results[best], before, sides=1)
            if turn == 0 and place != order[0]:
                gains[place] = gain
            if gain.low > 0:
                weights = tried[best]
    return weights, gains
