"""Every model that the conformance suite asks the same questions."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from sishu.estimators.als import ALS
from sishu.estimators.base import ItemModel
from sishu.estimators.bias import Bias
from sishu.estimators.content import Content
from sishu.estimators.ease import Ease
from sishu.estimators.knn import ItemKNN, UserKNN
from sishu.estimators.mf import MF
from sishu.estimators.popular import Popular
from sishu.estimators.rating_blend import RatingBlend
from sishu.estimators.rp3beta import RP3Beta
from sishu.estimators.rules import Rules
from sishu.estimators.sequence import SASRec

# Top-N models and rating models, by name; each call gives a new one, not fitted.
MEMBERS: dict[str, Callable[[], ItemModel]] = {
    "als": ALS,
    "als, of few factors": lambda: ALS(factors=8, frequency=0.0),
    "bias": Bias,
    "ease": Ease,
    "ease, pruned": lambda: Ease(l2=20.0, top_k=6),
    "popular": lambda: Popular(half_life=30.0, segment_field="tags"),
    "popular, by mean": lambda: Popular(measure="mean"),
    "rp3beta": RP3Beta,
    "content": Content,
    "item-knn": ItemKNN,
    "user-knn": UserKNN,
    "mf": MF,
    "rating-blend": RatingBlend,
    "rules": Rules,
}
if find_spec("torch"):  # the extra `deep`
    MEMBERS["sequence"] = lambda: SASRec(length=6, factors=8, epochs=2)
