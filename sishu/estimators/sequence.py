"""What comes next, by attention to what came before (SASRec).

    x(n) = item(i_n) + place(n)                     of the last `length` events, n = 1 … N from the oldest of them
    x(n) ← x(n) + attention(norm(x))(n)             what the events up to n bring, each as much as it is attended to
    x(n) ← x(n) + forward(norm(x(n)))               ReLU between two linear maps; these two steps `blocks` times
    P(j comes next) = softmax_j(norm(x(N)) · item(j))

attention(y)(n) = Σ_m≤n softmax_m(q(n) · k(m) / √d) v(m), with linear maps q, k, v of y, in each of `heads` parts of the
`factors` numbers, and one more linear map over all. The score of an item is its probability. Only the order of events
counts, not their weights.

Source: Kang & McAuley 2018, Self-Attentive Sequential Recommendation, arXiv:1808.09781; trained with softmax over all
items, or over many drawn, in place of one negative: Klenitskiy & Vasilev 2023, Turning Dross Into Gold Loss,
arXiv:2309.07602. It wants tens of thousands of events at least; of fewer, `rules` make more.

Training is `sequence_training`, in PyTorch (the extra `deep`). What is here is numpy, and loads and scores without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sishu.estimators.base import ItemModel, Past, Scores, require
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Interactions
from sishu.estimators.items import Items

Floats = NDArray[np.float32]

TOGETHER = 256  # histories looked at together
LATER = np.float32(-np.inf)  # attention to what comes later, before softmax
EPSILON = np.float32(1e-5)  # keeps a norm from dividing by 0


class SASRec(ItemModel):
    """Says what comes next, in the light of the whole order in which things were taken.

    `negatives` items are drawn for each batch to be told from the right ones; None takes all, which is better and, up
    to some thousand items, not too slow. Training ends after `epochs`, or when the held-out last events of some users
    were not found better for `patience` of them.
    """

    item_vectors_: Floats  # items x factors
    place_vectors_: Floats  # length x factors
    attention_: Floats  # blocks x 4 x factors x factors: q, k, v and out
    attention_shift_: Floats  # blocks x 4 x factors
    forward_: Floats  # blocks x 2 x factors x factors
    forward_shift_: Floats  # blocks x 2 x factors
    norm_: Floats  # 2 blocks + 1 x factors
    norm_shift_: Floats  # 2 blocks + 1 x factors
    epochs_: int  # the epoch whose weights these are; 0 where nobody did two things

    def __init__(
        self,
        *,
        length: int = 50,
        factors: int = 64,
        blocks: int = 2,
        heads: int = 2,
        dropout: float = 0.2,
        learning_rate: float = 0.003,
        batch_size: int = 64,
        negatives: int | None = None,
        epochs: int = 60,
        patience: int = 5,
        seed: int = 42,
        memory_limit: int = 4 * 2**30,
    ) -> None:
        self.length = length
        self.factors = factors
        self.blocks = blocks
        self.heads = heads
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.negatives = negatives
        self.epochs = epochs
        self.patience = patience
        self.seed = seed
        self.memory_limit = memory_limit

    def _learn(self, interactions: Interactions, items: Items | None) -> None:
        for name in ("length", "factors", "blocks", "heads", "batch_size", "epochs", "patience"):
            require(name, getattr(self, name), at_least=1)
        if self.negatives is not None:
            require("negatives", self.negatives, at_least=1)
        require("dropout", self.dropout, at_least=0)
        require("learning_rate", self.learning_rate, above=0)
        require("seed", self.seed, at_least=0)
        require("memory_limit", self.memory_limit, above=0)
        if self.dropout >= 1:
            raise InvalidInput(f"dropout is {self.dropout}: it must be below 1, or nothing is left.")
        if self.factors % self.heads:
            raise InvalidInput(f"factors is {self.factors} and heads {self.heads}: the heads share them equally.")
        try:
            # Not at the top: whoever only asks a model never pays for loading PyTorch.
            training = import_module("sishu.estimators.sequence_training")
        except ImportError as error:
            raise InvalidInput(f"SASRec needs {error.name} to be trained: pip install 'sishu[deep]'.") from error
        for name, value in training.learnt(interactions, self.params()).items():
            setattr(self, name, value)

    def score_many(self, pasts: Sequence[Past]) -> Scores:
        scores = np.zeros((len(pasts), len(self.item_ids_)), np.float32)
        for begin in range(0, len(pasts), TOGETHER):
            some = slice(begin, begin + TOGETHER)
            scores[some] = _softmax(
                self._states([past.items[-self.length :] for past in pasts[some]]) @ self.item_vectors_.T
            )
        scores[[not len(past.items) for past in pasts]] = 0
        return scores

    def _scores(self, past: Past) -> Scores:
        return self.score_many([past])[0]

    def _states(self, newest: Sequence[NDArray[np.int64]]) -> Floats:
        """norm(x(N)) of each history, histories x factors."""
        width = max(1, *map(len, newest))
        items = np.zeros((len(newest), width), np.int64)  # what stands after the last event is never looked at
        for row, history in zip(items, newest, strict=True):
            row[: len(history)] = history
        x = self.item_vectors_[items] + self.place_vectors_[:width]
        is_later = ~np.tril(np.ones((width, width), bool))
        for block in range(self.blocks):
            x = x + self._attended(self._normed(x, 2 * block), block, is_later)
            x = x + self._forwarded(self._normed(x, 2 * block + 1), block)
        last = [max(0, len(history) - 1) for history in newest]
        return self._normed(x[np.arange(len(x)), last], 2 * self.blocks)

    def _attended(self, y: Floats, block: int, is_later: NDArray[np.bool_]) -> Floats:
        maps, shifts = self.attention_[block], self.attention_shift_[block]
        q, k, v = (self._in_heads(y @ maps[part] + shifts[part]) for part in range(3))
        likeness = q @ k.swapaxes(2, 3) / np.float32(np.sqrt(q.shape[3]))
        found = _softmax(np.where(is_later, LATER, likeness)) @ v
        return found.swapaxes(1, 2).reshape(y.shape) @ maps[3] + shifts[3]

    def _in_heads(self, y: Floats) -> Floats:
        """histories x heads x places x (factors / heads)."""
        return y.reshape(*y.shape[:2], self.heads, -1).swapaxes(1, 2)

    def _forwarded(self, y: Floats, block: int) -> Floats:
        (first, second), (first_shift, second_shift) = self.forward_[block], self.forward_shift_[block]
        return np.maximum(y @ first + first_shift, 0) @ second + second_shift

    def _normed(self, x: Floats, number: int) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON)
        return centred / spread * self.norm_[number] + self.norm_shift_[number]


def _softmax(logits: Any) -> Floats:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
