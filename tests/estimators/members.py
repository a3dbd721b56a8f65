"""Every model that the conformance suite asks the same questions."""

from __future__ import annotations

from collections.abc import Callable

from sishu.estimators.base import ItemModel
from sishu.estimators.bias import Bias
from sishu.estimators.content import Content
from sishu.estimators.ease import Ease
from sishu.estimators.popular import Popular
from sishu.estimators.rp3beta import RP3Beta
from sishu.estimators.rules import Rules

# Top-N models and rating models, by name; each call gives a new one, not fitted.
MEMBERS: dict[str, Callable[[], ItemModel]] = {
    "bias": Bias,
    "ease": Ease,
    "ease, pruned": lambda: Ease(l2=20.0, top_k=6),
    "popular": lambda: Popular(half_life=30.0, segment_field="tags"),
    "popular, by mean": lambda: Popular(measure="mean"),
    "rp3beta": RP3Beta,
    "content": Content,
    "rules": Rules,
}
