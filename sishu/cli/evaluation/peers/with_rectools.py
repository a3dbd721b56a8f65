"""RecTools: EASE."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel

from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items
from sishu.estimators.ranking import Ranked
from sishu.estimators.split import Split


class RecTools:
    """A fitted model of RecTools, which knows users and items by our positions."""

    about = ""

    def __init__(self, model: Any, train: Interactions) -> None:
        rows = train.matrix.tocoo()
        frame = pd.DataFrame({Columns.User: rows.row, Columns.Item: rows.col, Columns.Weight: rows.data})
        frame[Columns.Datetime] = pd.Timestamp(0)
        self.dataset = Dataset.construct(frame)
        self.known_users, self.known_items = np.unique(rows.row), np.unique(rows.col)
        self.model = model.fit(self.dataset)

    def rank(self, split: Split, k: int, users: NDArray[np.int64]) -> Ranked:
        lists = np.full((len(users), k), -1, np.int64)
        found = self._recommend(np.intersect1d(users, self.known_users), k, split.candidates)
        rows = np.searchsorted(users, found[Columns.User].to_numpy())
        lists[rows, found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
        return Ranked(users, lists, split.relevant[users])

    def recommend(self, user: int, k: int) -> None:
        self._recommend(np.array([user]), k, None)

    def _recommend(self, users: NDArray[np.int64], k: int, candidates: NDArray[np.int64] | None) -> Any:
        known = None if candidates is None else np.intersect1d(candidates, self.known_items)
        return self.model.recommend(users, self.dataset, k, filter_viewed=True, items_to_recommend=known)


def ease(train: Interactions, items: Items | None, seed: int, **params: Any) -> RecTools:
    """EASE (Steck 2019)."""
    return RecTools(EASEModel(**params), train)
