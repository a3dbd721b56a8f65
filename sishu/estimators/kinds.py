"""Every kind of model by the name people call it by, and the parameters worth trying."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sishu.estimators.als import ALS
from sishu.estimators.base import ItemModel, bounded
from sishu.estimators.bias import Bias
from sishu.estimators.clicks import ClickLog, ClickModel
from sishu.estimators.content import Content
from sishu.estimators.ctr import ALPHAS, ClickThroughRate
from sishu.estimators.ease import L2_GRID, Ease
from sishu.estimators.ftrl import Ftrl
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.knn import ItemKNN, UserKNN
from sishu.estimators.logistic import Logistic
from sishu.estimators.mf import MF
from sishu.estimators.popular import Popular
from sishu.estimators.rates import SmoothedRate
from sishu.estimators.rating_blend import RatingBlend
from sishu.estimators.ratings import RatingModel
from sishu.estimators.recent import Recent
from sishu.estimators.ridge import Ridge
from sishu.estimators.rp3beta import RP3Beta
from sishu.estimators.rules import Rules
from sishu.estimators.search import Found, best_of
from sishu.estimators.sequence import SASRec
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
    timed_candidates: tuple[Params, ...] = ()  # more of them, where there are times
    needs_times: bool = False
    needs_texts: bool = False
    protocols: tuple[str, ...] = ()  # the only ones under which it makes sense; none named is all
    only_by_name: bool = False  # it takes minutes, or an extra: nobody gets it who did not ask for it

    def suits(self, interactions: Interactions, items: Items | None, protocol: str) -> bool:
        return (
            not self.only_by_name
            and (not self.needs_times or interactions.times is not None)
            and (not self.needs_texts or (items is not None and items.has_texts))
            and (not self.protocols or protocol in self.protocols)
        )

    def made(self, params: Params, memory_limit: int) -> ItemModel:
        return self.make(**bounded(self.make, params, memory_limit))

    def choices(self, interactions: Interactions) -> tuple[Params, ...]:
        """The candidates that make sense for these interactions."""
        return self.candidates + (() if interactions.times is None else self.timed_candidates)

    def best(self, split: Split, items: Items | None, seconds: float, memory_limit: int) -> Found:
        """The best of the candidates on this split; see `search.best_of`."""
        choices = self.choices(split.train)
        return best_of(lambda **params: self.made(params, memory_limit), choices, split, items, seconds)


@dataclass(frozen=True)
class RatingKind:
    """A class of rating models, and the candidates to choose among by RMSE."""

    make: type[RatingModel]
    candidates: tuple[Params, ...] = ({},)

    def made(self, params: Params, memory_limit: int) -> RatingModel:
        return self.make(**bounded(self.make, params, memory_limit))


@dataclass(frozen=True)
class ClickKind:
    """A class of click models, and the candidates to choose among by the log-loss of later rows than were learnt."""

    make: Callable[..., ClickModel]
    candidates: tuple[Params, ...] = ({},)
    by_key: bool = False  # whose rate it says is chosen too, among all columns of names
    knows_places: bool = False  # others are given the place as a name

    def choices(self, log: ClickLog) -> Sequence[Params]:
        """The candidates for this log."""
        return [{"key": name} for name in log.categories] or [{}] if self.by_key else self.candidates

    def made(self, params: Params, memory_limit: int, seed: int) -> ClickModel:
        return self.make(**bounded(self.make, params, memory_limit), seed=seed)


IN_ORDER = ("leave-last", "time")  # where what comes next is asked about, order and recency say something

TOP_N: dict[str, Kind] = {
    "popular": Kind(Popular, timed_candidates=grid(half_life=(7.0, 30.0, 90.0))),
    "ease": Kind(Ease, grid(l2=L2_GRID)),
    "ease-recent": Kind(
        Recent, tuple(_fading("Ease", {"l2": l2, "weighted": True}, tau) for tau in (1.0, 3.0, 10.0) for l2 in L2_GRID[2::2]),
        needs_times=True, protocols=IN_ORDER,
    ),
    "rp3beta": Kind(RP3Beta, grid(alpha=(0.6, 0.8, 1.0), beta=(0.3, 0.45, 0.6, 0.75), top_k=(400,))),
    "als": Kind(ALS, grid(factors=(64, 128), l2=(3.0, 10.0, 30.0, 100.0), alpha=(4.0, 16.0))),
    "rules": Kind(Rules, grid(window=(3, 10), tau=(1.0, 3.0)), needs_times=True, protocols=IN_ORDER),
    "sequence": Kind(SASRec, needs_times=True, protocols=IN_ORDER, only_by_name=True),
    "content": Kind(Content, ({}, {"tau": 3.0}), needs_texts=True),
}  # fmt: skip
RATINGS: dict[str, RatingKind] = {
    "bias": RatingKind(Bias),
    "user-knn": RatingKind(UserKNN, grid(shrinkage=(5.0, 20.0), k=(300, 1000))),
    "item-knn": RatingKind(ItemKNN, grid(shrinkage=(5.0, 20.0), damping=(0.01, 0.03))),
    "mf": RatingKind(MF, grid(reg=(0.7, 0.85, 1.0), frequency=(0.6,))),
    "blend": RatingKind(RatingBlend),
}
CLICKS: dict[str, ClickKind] = {
    "auto": ClickKind(ClickThroughRate, knows_places=True),
    "constant": ClickKind(SmoothedRate),
    "rates": ClickKind(SmoothedRate, by_key=True),
    "logistic": ClickKind(Logistic, grid(l2=tuple(Logistic.PENALTIES))),
    "ridge": ClickKind(Ridge, grid(l2=tuple(Ridge.PENALTIES))),
    "ftrl": ClickKind(Ftrl, grid(alpha=ALPHAS, l2=(1.0, 30.0))),
}
