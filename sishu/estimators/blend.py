"""Chances of several models as one, never worse than the safe one.

    p = Σ_m w_m p_m,   w_m ∝ π_m ∏_t P(y_t | p_m)

over rows t that none of them learnt from: Bayes' rule for which of the models is the true one (Bayesian model
averaging: Hoeting et al. 1999). The first model is the safe one, as a constant; each other is taken beforehand for
`odds` times less likely than it, and for as much less again as others were tried of which it is the best. Few rows
leave the weight where it was, or share it among models that say nearly the same; many give it to the best. Where the
first would be `odds` times likelier under the truth, another gains the upper hand once in `odds` at most (Wasserman,
Ramdas & Balakrishnan 2020, Universal inference).

If the mixture says those rows worse than the first model does, the first has all the weight: relative information gain
over a constant is never below 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sishu.estimators import metrics
from sishu.estimators.base import Saved, require
from sishu.estimators.clicks import Probabilities
from sishu.estimators.errors import InvalidInput

Floats = NDArray[np.float64]
LEAST = 1e-3  # a model of less weight is not worth asking


class Blend(Saved):
    """Fitted on chances (rows,) of each model, the safe one first, and what happened."""

    weights_: Floats  # (models,)

    def __init__(self, odds: float = 40.0) -> None:
        self.odds = odds

    def fit(self, chances: Sequence[Probabilities], clicked: Floats, tried: Sequence[int] = ()) -> Self:
        """`tried`: of how many each was found the best, 1 where nothing is said."""
        require("odds", self.odds, at_least=1)
        if not chances:
            raise InvalidInput("There is no model to blend.")
        losses = np.array([metrics.log_losses(clicked, each).sum() for each in chances])
        against = np.log(tried or np.ones(len(chances))) + np.where(np.arange(len(chances)) > 0, np.log(self.odds), 0.0)
        weights = softmax(-losses - against)
        weights[weights < LEAST] = 0.0
        self.weights_ = weights / weights.sum()
        if metrics.log_losses(clicked, self(chances)).sum() > losses[0]:
            self.weights_ = np.eye(len(chances))[0]
        return self

    def __call__(self, chances: Sequence[Probabilities]) -> Probabilities:
        return self.weights_ @ np.stack(chances)
