"""How SASRec learns: the network of `sequence` once more, in PyTorch, which finds the gradients.

Each user's history is cut, from its end, into windows of `length` + 1 events, and every event of a window but the first
is to be told by those before it: the mean of −log P over them goes down by Adam. Events of one moment have no order
between them, so they are shuffled in each epoch anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sishu.estimators.errors import OverBudget
from sishu.estimators.interactions import Interactions

AT_MOST_USERS = 1000  # whose last event is held out: more makes the choice of the epoch no surer
LISTED = 10  # the epoch is chosen by NDCG@10
TOGETHER = 128  # users asked about at once
Positions = NDArray[np.int64]


class Network(nn.Module):
    """The weights of `sequence.SASRec`, under the same names, and its formula."""

    def __init__(self, item_count: int, params: Mapping[str, Any]) -> None:
        super().__init__()
        length, factors, blocks = params["length"], params["factors"], params["blocks"]
        self.heads, self.dropout = params["heads"], params["dropout"]
        spread = (2 * factors) ** -0.5
        self.item_vectors_ = nn.Parameter(torch.randn(item_count, factors) * 0.02)
        self.place_vectors_ = nn.Parameter(torch.randn(length, factors) * 0.02)
        self.attention_ = nn.Parameter(torch.randn(blocks, 4, factors, factors) * spread)
        self.attention_shift_ = nn.Parameter(torch.zeros(blocks, 4, factors))
        self.forward_ = nn.Parameter(torch.randn(blocks, 2, factors, factors) * spread)
        self.forward_shift_ = nn.Parameter(torch.zeros(blocks, 2, factors))
        self.norm_ = nn.Parameter(torch.ones(2 * blocks + 1, factors))
        self.norm_shift_ = nn.Parameter(torch.zeros(2 * blocks + 1, factors))

    def forward(self, before: Tensor) -> Tensor:
        """norm(x(n)) of every place; `before` is windows x places, with anything after a window's last event."""
        width = before.shape[1]
        x = self._dropped(self.item_vectors_[before] + self.place_vectors_[:width])
        is_later = ~torch.ones(width, width, dtype=torch.bool).tril()
        for block in range(len(self.attention_)):
            x = x + self._dropped(self._attended(self._normed(x, 2 * block), block, is_later))
            x = x + self._dropped(self._forwarded(self._normed(x, 2 * block + 1), block))
        return self._normed(x, -1)

    def _attended(self, y: Tensor, block: int, is_later: Tensor) -> Tensor:
        maps, shifts = self.attention_[block], self.attention_shift_[block]
        q, k, v = (self._in_heads(y @ maps[part] + shifts[part]) for part in range(3))
        likeness = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
        found = self._dropped(likeness.masked_fill(is_later, -torch.inf).softmax(-1)) @ v
        return found.transpose(1, 2).reshape(y.shape) @ maps[3] + shifts[3]

    def _in_heads(self, y: Tensor) -> Tensor:
        return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)

    def _forwarded(self, y: Tensor, block: int) -> Tensor:
        (first, second), (first_shift, second_shift) = self.forward_[block], self.forward_shift_[block]
        return self._dropped(functional.relu(y @ first + first_shift)) @ second + second_shift

    def _normed(self, x: Tensor, number: int) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], self.norm_[number], self.norm_shift_[number])

    def _dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)

    def loss(self, before: Tensor, after: Tensor, drawn: Tensor | None) -> Tensor:
        """Mean of −log P of what came `after` each event, -1 where nothing did; of all items or those `drawn` alone."""
        right = after[after >= 0]
        states = self(before)[after >= 0]
        if drawn is None:
            return functional.cross_entropy(states @ self.item_vectors_.T, right)
        wrong = (states @ self.item_vectors_[drawn].T).masked_fill(drawn == right[:, None], -torch.inf)
        wrong = wrong + math.log(len(self.item_vectors_) / len(drawn))  # each stands for so many
        logits = torch.cat([(states * self.item_vectors_[right]).sum(1, keepdim=True), wrong], 1)
        return functional.cross_entropy(logits, torch.zeros_like(right))


def learnt(interactions: Interactions, params: Mapping[str, Any]) -> dict[str, Any]:
    """The weights as arrays, by their names in `SASRec`, and `epochs_`. The same for the same seed."""
    _check_memory(len(interactions.item_ids), params)
    rng = np.random.default_rng(params["seed"])
    held_out = _last_rows(interactions, rng)
    train = interactions.take(np.delete(np.arange(len(interactions)), held_out))
    asked = Asked.of(train, interactions.users[held_out], interactions.items[held_out], params["length"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params["seed"])
        network = Network(len(interactions.item_ids), params)
        epoch = _train(network, train, asked, params, rng)
    weights = {name: weight.detach().numpy().copy() for name, weight in network.state_dict().items()}
    return weights | {"epochs_": epoch}


def _train(
    network: Network, train: Interactions, asked: Asked, params: Mapping[str, Any], rng: np.random.Generator
) -> int:
    """Leaves the network with the weights of its best epoch, which it returns."""
    rows = windows(train.starts, params["length"] + 1)
    rows = rows[rows[:, 1] >= 0]  # of two events at least
    if not len(rows):
        return 0
    adam = torch.optim.Adam(network.parameters(), lr=params["learning_rate"], betas=(0.9, 0.98))
    best, best_epoch, kept = -1.0, 0, network.state_dict()
    for epoch in range(1, params["epochs"] + 1):
        network.train()
        for before, after in _batches(train, rows, params["batch_size"], rng):
            adam.zero_grad()
            network.loss(before, after, _drawn(params["negatives"], len(train.item_ids))).backward()
            adam.step()
        ndcg = asked.ndcg(network)
        if ndcg > best or not len(asked.items):  # with nobody to ask, the last epoch is taken for the best
            best, best_epoch, kept = ndcg, epoch, {name: each.clone() for name, each in network.state_dict().items()}
        elif epoch - best_epoch >= params["patience"]:
            break
    network.load_state_dict(kept)
    return best_epoch


def _batches(
    train: Interactions, rows: Positions, size: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """All windows of `rows` in a new order: the items before and after, windows x places each."""
    items = train.items
    if train.times is not None:
        items = items[np.lexsort((rng.random(len(train)), train.times, train.users))]
    order = rng.permutation(len(rows))
    for begin in range(0, len(order), size):
        some = rows[order[begin : begin + size]]
        events = items[some]
        after = np.where(some >= 0, events, -1)
        yield torch.from_numpy(events[:, :-1]), torch.from_numpy(after[:, 1:])


def _drawn(count: int | None, item_count: int) -> Tensor | None:
    return None if count is None else torch.randint(item_count, (count,))


def _last_rows(interactions: Interactions, rng: np.random.Generator) -> Positions:
    """The last row of some users of three at least."""
    ends = interactions.starts[1:][np.diff(interactions.starts) >= 3]
    return np.sort(rng.permutation(ends)[:AT_MOST_USERS]) - 1


def windows(starts: Positions, length: int) -> Positions:
    """Rows of each user in runs of `length`, cut from the end, each beginning with the last of the run before it.

    windows x length; -1 stands after the last row of a shorter run.
    """
    counts = np.diff(starts)
    runs = np.maximum(1, -(-(counts - 1) // (length - 1)))
    users = np.repeat(np.arange(len(counts)), runs)
    number = np.arange(len(users)) - np.repeat(np.cumsum(runs) - runs, runs)
    ends = starts[users + 1] - number * (length - 1)
    return _rows(np.maximum(ends - length, starts[users]), ends, length)


def _rows(begins: Positions, ends: Positions, length: int) -> Positions:
    """The rows from each begin up to before its end, begins x length; -1 after them."""
    rows = begins[:, None] + np.arange(length)
    return np.where(rows < ends[:, None], rows, -1)


@dataclass(frozen=True, eq=False)
class Asked:
    """Last events held out: what came before each (asked x length) up to which place, the item, and all before it.

    `seen` are pairs (number of the asked, item), which are not ranked.
    """

    before: Positions
    places: Positions
    items: Positions
    seen: tuple[Positions, Positions]

    @classmethod
    def of(cls, train: Interactions, users: Positions, items: Positions, length: int) -> Asked:
        ends = train.starts[users + 1]
        rows = _rows(np.maximum(ends - length, train.starts[users]), ends, length)
        return cls(train.items[rows], (rows >= 0).sum(axis=1) - 1, items, train.matrix[users].nonzero())

    def ndcg(self, network: Network) -> float:
        """NDCG@10: 1 / log2(1 + rank) where the rank is 10 at most. 0 where nobody is asked."""
        if not len(self.items):
            return 0.0
        network.eval()
        with torch.no_grad():
            parts = zip(*(torch.from_numpy(each).split(TOGETHER) for each in (self.before, self.places)), strict=True)
            states = torch.cat([network(before)[torch.arange(len(before)), places] for before, places in parts])
            scores = (states @ network.item_vectors_.T).numpy()
        own = scores[np.arange(len(scores)), self.items]
        scores[self.seen] = -np.inf
        rank = 1 + (scores > own[:, None]).sum(axis=1)
        return float(np.where(rank <= LISTED, 1 / np.log2(1 + rank), 0).mean())


def _check_memory(item_count: int, params: Mapping[str, Any]) -> None:
    told_from = item_count if params["negatives"] is None else params["negatives"] + 1
    events = params["batch_size"] * params["length"]
    activations = events * (told_from * 3 + params["factors"] * 20 * params["blocks"])
    attention = events * params["length"] * params["heads"] * params["blocks"] * 4
    weights = item_count * params["factors"] * 5  # with their gradients, Adam's two means, and the best so far
    if (needed := 4 * (activations + attention + weights)) > params["memory_limit"]:
        way_out = "Give negatives=256, a smaller batch_size or length, or more memory."
        raise OverBudget(f"Training SASRec on {item_count} items", needed, params["memory_limit"], way_out)
