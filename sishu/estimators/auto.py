"""A recommender that chooses itself: model, parameters and fusion, from the interactions it is given.

It parts what it was given by `protocol` once more, fits every candidate of every kind that the data allow (`kinds`) on
one part and asks about the other, then lets the best of each kind earn a weight (`fusion`), and fits what it chose on
everything. Nothing here knows a data set by name. `reason_` says in one paragraph what was chosen and why.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import ItemModel, Past, Scored, Scores, require
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.fusion import Fusion
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.kinds import TOP_N, Kind
from sishu.estimators.search import Found
from sishu.estimators.split import PROTOCOLS, Split

SEARCHED_USERS = 50_000  # parameters found on so many users serve all of them
GIBIBYTE = 2**30


class Auto(ItemModel):
    """The best of `kinds` for this data under `protocol`, found within `seconds` of one processor.

    The time is looked at between fits: one fit may go past it, and the last fit, on everything, comes after it. No fit
    takes more than `memory_limit` bytes; the models of a fusion are held side by side, so that all may take as many
    times that as there are members.
    """

    is_additive = False
    needs_history = False
    zero_says_nothing = True

    chosen_: dict[str, ItemModel]
    chosen_params_: dict[str, Any]
    reason_: str
    fit_seconds_: float  # of the last fit alone

    def __init__(
        self, *, protocol: str = "ratio", seconds: float = 600.0, memory_limit: int = 4 * GIBIBYTE, seed: int = 0
    ) -> None:
        self.protocol, self.seconds, self.memory_limit, self.seed = protocol, seconds, memory_limit, seed

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        require("seconds", self.seconds, above=0)
        require("memory_limit", self.memory_limit, above=0)
        if self.protocol not in PROTOCOLS:
            raise InvalidInput(f"protocol is {self.protocol!r}; known: {', '.join(PROTOCOLS)}.")
        kinds = {name: kind for name, kind in TOP_N.items() if kind.suits(interactions, items, self.protocol)}
        found: dict[str, Found] = {}
        refused: dict[str, str] = {}
        began = time.process_time()
        # Where there is too little to part no choice can be made, and none is pretended.
        with suppress(InvalidInput):
            inner = PROTOCOLS[self.protocol](_some(interactions, self.seed), self.seed + 1)
            found, refused = self._search(kinds, inner, items)
        model = self._model(kinds, found)
        searched = time.process_time() - began
        model.fit(interactions, items)
        self.fit_seconds_ = time.process_time() - began - searched
        self.chosen_ = {"model": model.inside()}
        self.chosen_params_ = model.params()
        if isinstance(model, Fusion):
            self.chosen_params_["members"] = {name: model.members[name] for name in model.members_}
        self.reason_ = self._said(found, refused, model, searched)

    def _search(
        self, kinds: Mapping[str, Kind], inner: Split, items: Items | None
    ) -> tuple[dict[str, Found], dict[str, str]]:
        found: dict[str, Found] = {}
        refused: dict[str, str] = {}
        began = time.process_time()
        for number, (name, kind) in enumerate(kinds.items()):
            # What a quick kind leaves of its share goes to those after it. Every kind is tried at least once.
            left = max(0.0, self.seconds - (time.process_time() - began)) / (len(kinds) - number)
            try:
                found[name] = kind.best(inner, items, left, self.memory_limit)
            except OverBudget as error:
                refused[name] = str(error)
        return found, refused

    def _model(self, kinds: Mapping[str, Kind], found: Mapping[str, Found]) -> ItemModel:
        if not found:
            return TOP_N["popular"].made({}, self.memory_limit)
        members = {
            name: {"kind": kinds[name].make.__name__, "settings": dict(each.params)}
            for name, each in sorted(found.items(), key=lambda pair: -pair[1].ndcg.mean())
        }
        return Fusion(members=members, protocol=self.protocol, memory_limit=self.memory_limit, seed=self.seed)

    def _said(self, found: Mapping[str, Found], refused: Mapping[str, str], model: ItemModel, searched: float) -> str:
        if not isinstance(model, Fusion):
            return "There is too little to part and to ask about, so the most popular is recommended."
        ranked = sorted(found, key=lambda name: -found[name].ndcg.mean())
        tried = sum(each.tried for each in found.values())
        scores = ", ".join(f"{name} {found[name].interval}" for name in ranked)
        users = len(found[ranked[0]].ndcg)
        parts = [
            f"Chosen by NDCG@10 of {users} users on an inner {self.protocol} split, out of {tried} candidates in"
            f" {searched:.0f} s of the processor: {scores}.",
            f"{ranked[0]} is best alone, with {_listed(found[ranked[0]].params)}.",
        ]
        if model.gains_:
            parts.append(f"Weighed on further splits, beginning with {model.first_}:")
        for name, (gain, low, high) in model.gains_.items():
            weights = model.weights_of(name)
            verdict = (
                "kept" if weights[1:].any() else "kept for those without a history" if weights.any() else "left out"
            )
            parts.append(f"{name} adds {gain:+.4f} ({low:+.4f} to {high:+.4f}) and is {verdict}.")
        parts += [f"{name} was not tried: {why}" for name, why in refused.items()]
        return " ".join(parts)

    @property
    def _model_inside(self) -> ItemModel:
        return self.chosen_["model"]

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        return self._model_inside.similar(item_id, k)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        return self._model_inside.score_many(pasts)

    def _scores(self, past: Past) -> Scores:
        return self._model_inside._scores(past)

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        return self._model_inside._contributions(past, item)


def _some(interactions: Interactions, seed: int) -> Interactions:
    """At most `SEARCHED_USERS` of the users, with all they did."""
    count = len(interactions.user_ids)
    if count <= SEARCHED_USERS:
        return interactions
    drawn = np.random.default_rng(seed).choice(count, SEARCHED_USERS, replace=False)
    return interactions.take(np.isin(interactions.users, drawn))


def _listed(params: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in params.items()
    )
