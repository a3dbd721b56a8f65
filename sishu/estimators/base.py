"""What every recommender can be asked, and the parts they share.

Three words. A *reader* is a known user's id, or a `History` of somebody the model never saw. *Scores* are one float per
item of `item_ids_`, comparable within one answer only. *To fold in* is to score a history that was not fitted, without
fitting again.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sishu.estimators import archive
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Ids, Interactions
from sishu.estimators.items import Items

Scores = NDArray[np.float32]
ONLY = "only"  # the name in a file of a model that has none


@dataclass(frozen=True)
class Scored:
    """One item of an answer; `score` compares within this answer only."""

    item_id: str
    score: float


@dataclass(frozen=True)
class Reason:
    """Why: an item of the history, or a word it shares, and the part of the score that it brings.

    `because` is "" for what a model of ratings tells everybody, whatever they did (`ratings.EVERYBODY`).
    """

    because: str
    contribution: float


@dataclass(frozen=True, eq=False)
class Past:
    """A history over positions: `items` (n,) oldest first, `weights` (n,), `times` (n,) in seconds or None."""

    items: NDArray[np.int64]
    weights: NDArray[np.float32]
    times: NDArray[np.int64] | None = None

    def row(self, item_count: int) -> sparse.csr_matrix:
        """1 x items; the weights of an item that was met again added up."""
        return stack([self], item_count)

    def faded(self, tau: float) -> Past:
        """The same, the event n before the newest by exp(−n / tau) of its weight, and by 0 once nobody would see it."""
        left = np.exp(-np.arange(len(self.items))[::-1] / tau)
        left[left < np.finfo(np.float32).eps] = 0
        return Past(self.items, (self.weights * left).astype(np.float32), self.times)


class Recommender(Protocol):
    """What every model here can be asked; `tests/estimators/test_conformance.py` holds all of them to it."""

    user_ids_: Ids
    item_ids_: Ids

    def fit(self, interactions: Interactions, items: Items | None = None) -> Self:
        """Learn from scratch; whatever was learnt before is forgotten.

        Raises InvalidInput where there is nothing to learn from, and for a parameter out of range; OverBudget.
        """

    def score(self, reader: str | History) -> Scores:
        """One score for each of `item_ids_`, the reader's own items too. Zeros where the model has nothing to say."""

    def recommend(self, reader: str | History, k: int = 10, exclude: Collection[str] = ()) -> list[Scored]:
        """The k best, best first, without what the reader already has and without `exclude`.

        Fewer where there are fewer, and none where the model has nothing to say: the caller asks the next one.
        """

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        """The k items most like this one; none for an unknown id."""

    def explain(self, reader: str | History, item_id: str) -> list[Reason]:
        """What brought this item its score, the strongest first."""

    def save(self, path: Path) -> None:
        """Write the model as one file, whole or not at all."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model that `save` wrote, its numbers mapped and not read."""


class Saved:
    """Keyword parameters that can be read back, and a learnt state (`…_`) that goes to a file and comes back.

    A state may hold other models, one or several by name: they go into the same file.
    """

    kinds: ClassVar[dict[str, type[Saved]]] = {}  # what a file may name, so that it need not name code

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Saved.kinds[cls.__name__] = cls

    def params(self) -> dict[str, Any]:
        """The keyword arguments that make this model anew."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def state(self) -> dict[str, Any]:
        """What was learnt, by attribute; of a model inside, by `attribute/name/its attribute`."""
        flat: dict[str, Any] = {}
        for attribute, value in vars(self).items():
            if not attribute.endswith("_") or attribute.startswith("_"):
                continue
            named = {ONLY: value} if isinstance(value, Saved) else value
            if isinstance(named, dict) and named and all(isinstance(model, Saved) for model in named.values()):
                for name, model in named.items():
                    flat[f"{attribute}/{name}/"] = {"kind": type(model).__name__, "params": model.params()}
                    flat |= {f"{attribute}/{name}/{inner}": part for inner, part in model.state().items()}
            else:
                flat[attribute] = value
        return flat

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Take on what `state` gave."""
        inside: dict[tuple[str, str], dict[str, Any]] = {}
        for path, value in state.items():
            attribute, _, rest = path.partition("/")
            name, _, inner = rest.partition("/")
            if name:
                inside.setdefault((attribute, name), {})[inner] = value
            else:
                setattr(self, attribute, value)
        for (attribute, name), parts in inside.items():
            made = parts.pop("")
            model = Saved.kinds[made["kind"]](**made["params"]).restore(parts)
            if name == ONLY:
                setattr(self, attribute, model)
            else:
                vars(self).setdefault(attribute, {})[name] = model
        return self

    def save(self, path: Path) -> None:
        archive.write(path, type(self).__name__, self.params(), self.state())

    @classmethod
    def load(cls, path: Path) -> Self:
        params, state = archive.read(path, cls.__name__)
        return cls(**params).restore(state)


class ItemModel(Saved, ABC):
    """A recommender over positions: a model gives `_learn` and `_scores`, and what is asked of it follows."""

    is_additive: ClassVar[bool] = False  # the score is the sum of what `explain` names
    needs_history: ClassVar[bool] = True  # nothing to say to somebody who did nothing yet
    zero_says_nothing: ClassVar[bool] = False  # an item whose score is 0 is not recommended

    user_ids_: Ids
    item_ids_: Ids
    # What each known user did: rows `starts_[u]:starts_[u + 1]` of the other three, oldest first.
    starts_: NDArray[np.int64]
    past_items_: NDArray[np.int32]
    past_weights_: NDArray[np.float32]
    past_times_: NDArray[np.int64] | None

    def fit(self, interactions: Interactions, items: Items | None = None) -> Self:
        if not len(interactions) or not interactions.weights.any():
            raise InvalidInput("There is no interaction with a weight above zero: nothing can be learnt.")
        self.user_ids_, self.item_ids_ = interactions.user_ids, interactions.item_ids
        self.starts_ = interactions.starts
        self.past_items_ = interactions.items.astype(np.int32)
        self.past_weights_ = interactions.weights.astype(np.float32)
        self.past_times_ = interactions.times
        self._learn(interactions, items)
        return self

    def score(self, reader: str | History) -> Scores:
        past = self.past(reader)
        return self._scores(past) if self._may_speak(past) else np.zeros(len(self.item_ids_), np.float32)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        """`_scores` of many, (pasts, items): one product instead of many, where a model can."""
        return np.stack([self._scores(past) for past in pasts])

    def recommend(self, reader: str | History, k: int = 10, exclude: Collection[str] = ()) -> list[Scored]:
        past = self.past(reader)
        if not self._may_speak(past):
            return []
        scores = np.array(self._scores(past))
        self.hide(scores, past)
        return self.best(scores, k, exclude)

    def similar(self, item_id: str, k: int = 10) -> list[Scored]:
        return self.recommend(History((item_id,)), k) if item_id in self.item_ids_ else []

    def explain(self, reader: str | History, item_id: str) -> list[Reason]:
        past, item = self.past(reader), self.item_ids_.by_name.get(item_id)
        if item is None or not len(past.items):
            return []
        parts: dict[str, float] = {}
        for position, part in zip(past.items, self._contributions(past, item), strict=True):
            name = self.item_ids_[position]
            parts[name] = parts.get(name, 0.0) + float(part)
        return [Reason(name, part) for name, part in sorted(parts.items(), key=lambda each: -abs(each[1])) if part]

    def past(self, reader: str | History) -> Past:
        """What the reader did, as far as the model knows the items; empty for an unknown user."""
        if isinstance(reader, History):
            found = self.item_ids_.positions(reader.items)
            known = found >= 0
            times = np.asarray(reader.times, np.int64)[known] if reader.times else None
            return Past(found[known], np.asarray(reader.weights, np.float32)[known], times)
        user = self.user_ids_.by_name.get(reader)
        return self.past_of(user) if user is not None else Past(np.empty(0, np.int64), np.empty(0, np.float32))

    def past_of(self, user: int) -> Past:
        """What the user at this position was fitted with."""
        rows = slice(self.starts_[user], self.starts_[user + 1])
        times = None if self.past_times_ is None else self.past_times_[rows]
        return Past(self.past_items_[rows].astype(np.int64), self.past_weights_[rows], times)

    def inside(self) -> Self:
        """The same for use inside another model, which keeps who did what: once is enough."""
        self.user_ids_, self.starts_ = Ids(()), np.zeros(1, np.int64)
        self.past_items_, self.past_weights_ = np.empty(0, np.int32), np.empty(0, np.float32)
        self.past_times_ = None
        return self

    def best(self, scores: Scores, k: int, exclude: Collection[str] = ()) -> list[Scored]:
        """The k highest of `scores`, which it changes. Where two are equal the one that stands first is."""
        left_out = self.item_ids_.positions(exclude)
        scores[left_out[left_out >= 0]] = -np.inf
        return [Scored(self.item_ids_[item], float(scores[item])) for item in top(scores, k)]

    def hide(self, scores: Scores, past: Past) -> None:
        """Put −∞ in place of the scores of what is not recommended: what the reader has, what nothing is known of."""
        if not self._may_speak(past):
            scores[:] = -np.inf
        scores[past.items] = -np.inf
        if self.zero_says_nothing:
            scores[scores == 0] = -np.inf

    def _may_speak(self, past: Past) -> bool:
        return len(past.items) > 0 or not self.needs_history

    @abstractmethod
    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        """Check the parameters, and set what ends in `_`."""

    @abstractmethod
    def _scores(self, past: Past) -> Scores:
        """The scores of one reader, (items,)."""

    def _contributions(self, past: Past, item: int) -> NDArray[np.floating[Any]]:
        """What each of `past.items` brings to the score of `item`, (len(past.items),)."""
        return np.zeros(len(past.items))


def top(scores: NDArray[np.floating[Any]], k: int) -> NDArray[np.int64]:
    """Positions of the k highest finite scores, highest first; of equals the first. Raises InvalidInput for k < 1."""
    if k < 1:
        raise InvalidInput(f"k is {k}: ask for at least one.")
    candidates = np.flatnonzero(np.isfinite(scores))  # first: to part thousands of equal −∞ would take most of the time
    if k < len(candidates):
        # Everything that ties with the k-th is kept until the order is known, so that k more never changes the first k.
        values = scores[candidates]
        candidates = candidates[values >= np.partition(values, len(values) - k)[len(values) - k]]
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k].astype(np.int64)


def stack(pasts: Sequence[Past], item_count: int) -> sparse.csr_matrix:
    """What many did, pasts x items, float32."""
    starts = np.concatenate([[0], np.cumsum([len(past.items) for past in pasts])])
    items = np.concatenate([past.items for past in pasts]) if pasts else np.empty(0, np.int64)
    weights = np.concatenate([past.weights for past in pasts]) if pasts else np.empty(0, np.float32)
    rows = sparse.csr_matrix((weights, items, starts), shape=(len(pasts), item_count))
    rows.sum_duplicates()
    return rows


def bounded(make: Callable[..., Any], params: Mapping[str, Any], memory_limit: int) -> dict[str, Any]:
    """The parameters with the limit in bytes, where what is made knows one and they name none."""
    bounds = {"memory_limit": memory_limit} if "memory_limit" in inspect.signature(make).parameters else {}
    return {**bounds, **params}


def require(name: str, value: float, *, at_least: float | None = None, above: float | None = None) -> None:
    """Refuse a parameter that is out of range, with its name."""
    if not np.isfinite(value) or (at_least is not None and value < at_least) or (above is not None and value <= above):
        bound = f"at least {at_least}" if at_least is not None else f"above {above}"
        raise InvalidInput(f"{name} is {value}: it must be a finite number {bound}.")
