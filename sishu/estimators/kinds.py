"""Every kind of model by the name people call it by, and the parameters worth trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from itertools import product
from typing import Any

from sishu.estimators.base import ItemModel
from sishu.estimators.bias import Bias
from sishu.estimators.content import Content
from sishu.estimators.ease import Ease
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.popular import Popular
from sishu.estimators.ratings import RatingModel
from sishu.estimators.recent import Recent
from sishu.estimators.rp3beta import RP3Beta
from sishu.estimators.rules import Rules
from sishu.estimators.search import Found, best_of
from sishu.estimators.split import Split

Params = Mapping[str, Any]


def grid(**values: tuple[Any, ...]) -> tuple[dict[str, Any], ...]:
    """Every combination."""
    return tuple(dict(zip(values, combination, strict=True)) for combination in product(*values.values()))


def _fading(kind: str, settings: Params, tau: float) -> Params:
    return {"kind": kind, "settings": settings, "tau": tau}


@dataclass(frozen=True)
class Kind:
    """A class of models, the candidates among which `auto` and `evaluate` choose, and what data it needs."""

    make: type[ItemModel]
    candidates: tuple[Params, ...] = ({},)
    needs_times: bool = False
    needs_texts: bool = False
    protocols: tuple[str, ...] = ()  # the only ones under which it makes sense; none named is all

    def suits(self, interactions: Interactions, items: Items | None, protocol: str) -> bool:
        return (
            (not self.needs_times or interactions.times is not None)
            and (not self.needs_texts or (items is not None and items.has_texts))
            and (not self.protocols or protocol in self.protocols)
        )

    def settings(self, params: Params, memory_limit: int) -> dict[str, Any]:
        """The parameters with the limit, for a kind that knows one."""
        bounds = {"memory_limit": memory_limit} if "memory_limit" in signature(self.make).parameters else {}
        return {**params, **bounds}

    def made(self, params: Params, memory_limit: int) -> ItemModel:
        return self.make(**self.settings(params, memory_limit))

    def best(self, split: Split, items: Items | None, seconds: float, memory_limit: int) -> Found:
        """The best of the candidates on this split; see `search.best_of`."""
        return best_of(lambda **params: self.made(params, memory_limit), self.candidates, split, items, seconds)


@dataclass(frozen=True)
class RatingKind:
    """A class of rating models, and the candidates to choose among by RMSE."""

    make: type[RatingModel]
    candidates: tuple[Params, ...] = ({},)


L2 = (1.0, 5.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1200.0, 2000.0)
IN_ORDER = ("leave-last", "time")  # where what comes next is asked about, order and recency say something

TOP_N: dict[str, Kind] = {
    "popular": Kind(Popular, ({}, {"half_life": 7.0}, {"half_life": 30.0}, {"half_life": 90.0})),
    "ease": Kind(Ease, grid(l2=L2)),
    "ease-recent": Kind(
        Recent, tuple(_fading("Ease", {"l2": l2, "weighted": True}, tau) for tau in (1.0, 3.0, 10.0) for l2 in L2[2::2]),
        needs_times=True, protocols=IN_ORDER,
    ),
    "rp3beta": Kind(RP3Beta, grid(alpha=(0.6, 0.8, 1.0), beta=(0.3, 0.45, 0.6, 0.75), top_k=(400,))),
    "rules": Kind(Rules, grid(window=(3, 10), tau=(1.0, 3.0)), needs_times=True, protocols=IN_ORDER),
    "content": Kind(Content, ({}, {"tau": 3.0}, {"min_items": 2}), needs_texts=True),
}  # fmt: skip
RATINGS: dict[str, RatingKind] = {
    "bias": RatingKind(Bias),
}
