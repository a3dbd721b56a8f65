"""Showing what little is known of, and by what chance it was shown, so that a log can say what another list had done.

A list is filled from the top. Thompson 1933, "On the likelihood that one unknown probability exceeds another": each
newcomer's rate of clicks is drawn from what is believed of it,

    θ_i ~ Beta(1 + clicks_i, 20 + skips_i)

and at a reserved place the highest draw is shown: about one click in twenty is expected of the unknown. ε-greedy: at
each place, with the chance ε, any item that is left stands there instead of the best.

Propensities are exact (Thompson's by quadrature, to about 1e-12 for newcomers of up to `KNOWN_AFTER` impressions): each is
the chance that this item stands in this place, given those above it. The chance of a whole list is their product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from sishu.estimators.base import Scored, require
from sishu.estimators.errors import InvalidInput

CLICKS_BEFORE, SKIPS_BEFORE = 1, 20
KNOWN_AFTER = 100  # impressions, after which an item must stand by its own score

# Nodes and weights over 0 … 1 of the double exponential rule (Takahasi & Mori 1974): densest at both ends, where a rare
# win is won.
_STEPS = np.linspace(-3.2, 3.2, 193)
NODES = special.expit(np.pi * np.sinh(_STEPS))
NODE_WEIGHTS = (_STEPS[1] - _STEPS[0]) * np.pi * np.cosh(_STEPS) * NODES * special.expit(-np.pi * np.sinh(_STEPS))


@dataclass(frozen=True)
class Newcomer:
    """An item on trial: how often it was seen and followed, and seen and passed over."""

    item_id: str
    clicks: int = 0
    skips: int = 0

    def __post_init__(self) -> None:
        if self.clicks < 0 or self.skips < 0:
            raise InvalidInput(f"{self.item_id!r} has {self.clicks} clicks and {self.skips} skips: neither is below 0.")


@dataclass(frozen=True)
class Shown:
    """One place of a list, and by what chance this item stands in it. `score` is 0 for an item that was not ranked."""

    item_id: str
    score: float
    propensity: float


def thompson(
    ranked: Sequence[Scored],
    newcomers: Sequence[Newcomer],
    k: int = 10,
    places: Collection[int] = (9,),
    seed: int | np.random.Generator = 0,
) -> list[Shown]:
    """The k best of `ranked`, but at `places`, counted from 0, a newcomer by Thompson sampling.

    Each reserved place draws anew. An item that was shown `KNOWN_AFTER` times is no newcomer any more. Where no
    newcomer is left, the next of the ranked stands in the reserved place, for certain.
    """
    require("k", k, at_least=1)
    rng = np.random.default_rng(seed)
    waiting = {each.item_id: each for each in ranked}
    trial = {each.item_id: each for each in newcomers if each.clicks + each.skips < KNOWN_AFTER}
    shown: list[Shown] = []
    while len(shown) < k and (waiting or trial):
        if trial and (len(shown) in places or not waiting):
            arms = list(trial.values())
            beliefs = [(CLICKS_BEFORE + arm.clicks, SKIPS_BEFORE + arm.skips) for arm in arms]
            winner = int(np.argmax(rng.beta(*zip(*beliefs, strict=True))))
            item_id, propensity = arms[winner].item_id, chance_to_win(beliefs, winner)
        else:
            item_id, propensity = next(iter(waiting)), 1.0
        score = waiting[item_id].score if item_id in waiting else 0.0
        shown.append(Shown(item_id, score, propensity))
        waiting.pop(item_id, None)
        trial.pop(item_id, None)
    return shown


def chance_to_win(beliefs: Sequence[tuple[int, int]], winner: int) -> float:
    """P(θ_w > θ_j for all j) of independent θ_j ~ Beta(a_j, b_j), as ∫ Π_j F_j(F_w⁻¹(u)) du over u in 0 … 1."""
    others = Counter(beliefs)  # most newcomers are believed the same of: one distribution function does for all
    others[beliefs[winner]] -= 1
    a, b = (np.array(side, dtype=np.float64) for side in zip(*others, strict=True))
    counts = np.array(list(others.values()))
    rates = special.betaincinv(*beliefs[winner], NODES)
    below = special.betainc(a[:, None], b[:, None], rates) ** counts[:, None]
    return min(1.0, float(below.prod(axis=0) @ NODE_WEIGHTS))


def epsilon_greedy(
    ranked: Sequence[Scored],
    others: Collection[str] = (),
    k: int = 10,
    epsilon: float = 0.05,
    seed: int | np.random.Generator = 0,
) -> list[Shown]:
    """The k best of `ranked`; but in each place, with the chance `epsilon`, any of them or of `others` that is left."""
    require("k", k, at_least=1)
    if not 0 <= epsilon <= 1:
        raise InvalidInput(f"epsilon is {epsilon}: it lies between 0 and 1.")
    rng = np.random.default_rng(seed)
    scores = {each.item_id: each.score for each in ranked}
    left = list(dict.fromkeys([*scores, *others]))
    shown: list[Shown] = []
    while len(shown) < k and left:
        best_is_ranked = left[0] in scores
        by_chance = not best_is_ranked or rng.random() < epsilon
        place = int(rng.integers(len(left))) if by_chance else 0
        share = epsilon if best_is_ranked else 1.0
        propensity = share / len(left) + (1 - share) * (place == 0)
        item_id = left.pop(place)
        shown.append(Shown(item_id, scores.get(item_id, 0.0), propensity))
    return shown
