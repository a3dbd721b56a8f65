"""Surprise (Hug): ratings by SVD, SVD++, item kNN and biases alone."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from surprise import SVD, BaselineOnly, Dataset, KNNBaseline, Reader, SVDpp

from sishu.estimators.interactions import Interactions


class Surprise:
    """A fitted model of Surprise, which knows users and items by our positions."""

    def __init__(self, model: Any, train: Interactions) -> None:
        scale = Reader(rating_scale=(train.weights.min(), train.weights.max()))
        rows = zip(train.users.tolist(), train.items.tolist(), train.weights.tolist(), repeat(None), strict=False)
        self.model = model.fit(Dataset(scale).construct_trainset(list(rows)))

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([self.model.predict(user, item).est for user, item in zip(users, items, strict=True)])


def svd(train: Interactions, seed: int, **params: Any) -> Surprise:
    """Biased matrix factorisation by stochastic gradient descent (Funk 2006)."""
    return Surprise(SVD(random_state=seed, **params), train)


def svdpp(train: Interactions, seed: int, **params: Any) -> Surprise:
    """SVD++ (Koren 2008)."""
    return Surprise(SVDpp(random_state=seed, **params), train)


def item_knn(train: Interactions, seed: int, **params: Any) -> Surprise:
    """Item kNN on residuals, Pearson-baseline similarity (Koren 2010)."""
    options = {"name": "pearson_baseline", "user_based": False}
    return Surprise(KNNBaseline(sim_options=options, verbose=False, **params), train)


def baseline(train: Interactions, seed: int, **params: Any) -> Surprise:
    """μ + b_u + b_i."""
    return Surprise(BaselineOnly(verbose=False, **params), train)
