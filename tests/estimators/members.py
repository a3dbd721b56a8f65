"""Every model that the conformance suite asks the same questions."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from sishu.estimators.base import ItemModel
from sishu.estimators.bias import Bias
from sishu.estimators.content import Content
from sishu.estimators.rules import Rules
from sishu.estimators.sequence import SASRec

# Top-N models and rating models, by name; each call gives a new one, not fitted.
MEMBERS: dict[str, Callable[[], ItemModel]] = {
    "bias": Bias,
    "content": Content,
    "rules": Rules,
}
if find_spec("torch"):  # the extra `deep`
    MEMBERS["sequence"] = lambda: SASRec(length=6, factors=8, epochs=2)
