"""A model asked with a history that fades: what was done last says most about what is done next.

    w'_n = w_n exp(−n / tau), where n things were done since

Nothing is learnt but the model itself; only what it is asked changes (Ludewig & Jannach 2018 weigh sessions so).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import ItemModel, Past, Saved, Scored, Scores, bounded, require
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items


class Recent(ItemModel):
    """The model of class `kind` with `settings`, asked with fading histories. `tau` counts things done.

    `memory_limit` in bytes is handed to a model that knows one.
    """

    is_additive = True  # as far as the model inside is
    zero_says_nothing = True

    def __init__(
        self,
        *,
        kind: str,
        settings: Mapping[str, Any] | None = None,
        tau: float = 3.0,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        self.kind, self.settings, self.tau, self.memory_limit = kind, settings, tau, memory_limit

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("tau", self.tau, above=0)
        made = Saved.kinds.get(self.kind)
        if made is None or not issubclass(made, ItemModel):
            raise InvalidInput(f"kind is {self.kind!r}: it must be the class of a recommender.")
        model = made(**bounded(made, self.settings or {}, self.memory_limit))
        self.inside_ = {"model": model.fit(interactions, items).inside()}

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        return self.inside_["model"].similar(item_id, k)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        return self.inside_["model"].score_many([past.faded(self.tau) for past in pasts])

    def _scores(self, past: Past) -> Scores:
        return self.inside_["model"]._scores(past.faded(self.tau))

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return self.inside_["model"]._contributions(past.faded(self.tau), item)
