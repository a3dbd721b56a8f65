"""Several rating models as one, each with the weight it earned on ratings it was not fitted on.

    r̂_ui = r̂⁰_ui + Σ_m w_m (r̂ᵐ_ui − r̂⁰_ui)        w = argmin Σ (r_ui − r̂_ui)², w ≥ 0

over a fifth of the ratings, drawn at random; then all members that got a weight are fitted on everything. The first
member, r̂⁰, is what the others are measured from, and takes what they leave. Neighbours know what is near and factors
what is common, so their errors differ and their sum is better than either. Sources: Breiman 1996, "Stacked
Regressions"; Jahrer, Töscher & Legenstein 2010, "Combining Predictions for Accurate Recommender Systems".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from sishu.estimators.base import Past, Saved, Scores, bounded
from sishu.estimators.bias import Bias
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.knn import ItemKNN
from sishu.estimators.mf import MF
from sishu.estimators.ratings import Floats, Positions, RatingModel
from sishu.estimators.split import Split, folds

PARTS = 5  # one of which the weights are found on
MEMBERS: dict[str, dict[str, Any]] = {
    "bias": {"kind": Bias.__name__},
    "item-knn": {"kind": ItemKNN.__name__},
    "mf": {"kind": MF.__name__},
}


class RatingBlend(RatingModel):
    """Members by name: `{"bias": {"kind": "Bias", "settings": {}}, …}`, the first being the one to start from.

    `memory_limit` in bytes is handed to each member that knows one, and bounds its fit alone.
    """

    members_: dict[str, RatingModel]
    weights_: Floats  # (members,), of sum 1; the first may be below 0

    def __init__(
        self,
        *,
        members: Mapping[str, Mapping[str, Any]] = MEMBERS,
        seed: int = 0,
        lowest: float | None = None,
        highest: float | None = None,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        self.members = members
        self.seed = seed
        self.lowest = lowest
        self.highest = highest
        self.memory_limit = memory_limit

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        if not self.members:
            raise InvalidInput("members is empty: name at least one.")
        self._keep_scale(interactions.weights)
        first, *others = self.members
        earned = np.zeros(len(others))
        if len(interactions) >= PARTS and others:
            earned = self._earned(next(folds(interactions, PARTS, self.seed)))
        weights = {first: 1 - earned.sum(), **dict(zip(others, earned, strict=True))}
        kept = [name for name, weight in weights.items() if weight]
        self.members_ = {name: self._made(name).fit(interactions, items).inside() for name in kept}
        self.weights_ = np.array([weights[name] for name in kept])

    def _earned(self, split: Split) -> Floats:
        users, items = split.test.users, split.test.items
        # Not clipped to the scale: what the members say beyond it goes into the sum too.
        start, *others = (self._made(name).fit(split.train)._of_pairs(users, items) for name in self.members)
        weights, _ = nnls(np.stack([other - start for other in others], axis=1), split.test.weights - start)
        return np.asarray(weights)

    def _made(self, name: str) -> RatingModel:
        spec = self.members[name]
        kind = Saved.kinds.get(spec["kind"])
        if kind is None or not issubclass(kind, RatingModel):
            raise InvalidInput(
                f"The kind of member {name!r} is {spec['kind']!r}: it must be the class of a rating model."
            )
        return kind(**bounded(kind, spec.get("settings", {}), self.memory_limit))

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        scores = [weight * model.score_many(pasts) for weight, model in self._weighed()]
        return np.sum(scores, axis=0, dtype=np.float32)

    def _scores(self, past: Past) -> Scores:
        return self.score_many([past])[0]

    def _rated(self, pasts: Sequence[Past], readers: Positions, items: Positions) -> Floats:
        return np.sum([weight * model._rated(pasts, readers, items) for weight, model in self._weighed()], axis=0)

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return np.sum([weight * model._contributions(past, item) for weight, model in self._weighed()], axis=0)

    def _likeness(self, item: int) -> Scores:
        """As the member of the highest weight sees it."""
        for _, model in sorted(self._weighed(), key=lambda pair: -pair[0]):
            if (likeness := model._likeness(item)).any():
                return likeness
        return super()._likeness(item)

    def _weighed(self) -> list[tuple[float, RatingModel]]:
        return list(zip(self.weights_.tolist(), self.members_.values(), strict=True))
