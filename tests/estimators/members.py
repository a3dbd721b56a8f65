"""Every model that the conformance suite asks the same questions."""

from __future__ import annotations

from collections.abc import Callable

from sishu.estimators.base import ItemModel
from sishu.estimators.bias import Bias
from sishu.estimators.blend import Blend
from sishu.estimators.knn import ItemKNN, UserKNN
from sishu.estimators.mf import MF
from sishu.estimators.rules import Rules

# Top-N models and rating models, by name; each call gives a new one, not fitted.
MEMBERS: dict[str, Callable[[], ItemModel]] = {
    "bias": Bias,
    "item-knn": ItemKNN,
    "user-knn": UserKNN,
    "mf": MF,
    "blend": Blend,
    "rules": Rules,
}
