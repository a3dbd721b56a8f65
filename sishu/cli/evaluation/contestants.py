"""What is compared: our models and other people's, asked the same way."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import ItemModel
from sishu.estimators.clicks import Category, ClickLog, Probabilities
from sishu.estimators.errors import InvalidInput
from sishu.estimators.ranking import Ranked, rank
from sishu.estimators.split import Split


class Ranker(Protocol):
    """A fitted recommender of lists, ours or a peer's."""

    def rank(self, split: Split, k: int, users: NDArray[np.int64]) -> Ranked:
        """The lists of these users, without what train holds of them."""

    def recommend(self, user: int, k: int) -> None:
        """One list as a request would ask for it: only its time counts."""

    @property
    def about(self) -> str:
        """What it chose by itself and why; empty where it chose nothing."""


class Rater(Protocol):
    """A fitted model of ratings, ours or a peer's."""

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rating of each pair of positions."""


class Clicker(Protocol):
    """A fitted model of clicks, ours or a peer's."""

    def predict_proba(self, log: ClickLog) -> Probabilities:
        """The chance of a click in each row, (rows,)."""


def of_library(module: str, function: str, extra: str = "peers") -> Callable[..., Any]:
    """A function of a module of `peers`. Raises InvalidInput that says how to get a library that is not there."""
    try:
        found: Callable[..., Any] = getattr(import_module(module), function)
    except ImportError as error:
        raise InvalidInput(f"{error.name} is not installed: pip install 'sishu[{extra}]'.") from error
    return found


def texts(name: str, column: Category) -> list[str]:
    """A column of names as `name=value`, a text a row: what libraries that hash by themselves are given."""
    met, place = np.unique(column.codes, return_inverse=True)
    said = [f"{name}={column.names[code]}" for code in met.tolist()]
    return [said[one] for one in place.tolist()]


class OurRanker:
    """One of `sishu.estimators`."""

    def __init__(self, model: ItemModel) -> None:
        self.model = model

    def rank(self, split: Split, k: int, users: NDArray[np.int64]) -> Ranked:
        return rank(self.model, split, k, users)

    def recommend(self, user: int, k: int) -> None:
        self.model.recommend(self.model.user_ids_[user], k)

    @property
    def about(self) -> str:
        return str(getattr(self.model, "reason_", ""))
