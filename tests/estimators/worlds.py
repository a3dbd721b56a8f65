"""Small made-up worlds with a known taste in them, the same every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sishu.estimators.bandit import Policy
from sishu.estimators.clicks import ClickLog
from sishu.estimators.interactions import Interactions


def circles(users: int = 60, items: int = 40, groups: int = 4, events: int = 12, seed: int = 7) -> Interactions:
    """Each user belongs to a group and mostly takes the group's items, one a day; a tenth of what they take is chance."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, int]] = []
    for user in range(users):
        own = np.arange(user % groups, items, groups)
        taken = rng.choice(own, size=min(events, len(own)), replace=False)
        strays = rng.random(len(taken)) < 0.1
        taken = np.where(strays, rng.integers(0, items, len(taken)), taken)
        rows += [(f"u{user}", f"第 {item} 课", day * 86_400) for day, item in enumerate(dict.fromkeys(taken.tolist()))]
    names, works, times = zip(*rows, strict=True)
    return Interactions.of(names, works, times=np.array(times))


def ratings(users: int = 80, items: int = 50, share: float = 0.4, factors: int = 3, seed: int = 7) -> Interactions:
    """Stars from 1 to 5: a mean, a leaning of each user and item, a few hidden tastes, and noise of half a star."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.normal(size=(users, factors)), rng.normal(size=(items, factors))
    stars = 3.4 + rng.normal(0, 0.5, users)[:, None] + rng.normal(0, 0.5, items)[None, :] + 0.4 * taste @ kind.T
    stars = np.clip(np.round(stars + rng.normal(0, 0.5, stars.shape)), 1, 5)
    given = np.argwhere(rng.random(stars.shape) < share)
    return Interactions.of(
        [f"u{user}" for user, _ in given], [f"i{item}" for _, item in given],
        [stars[user, item] for user, item in given], np.arange(len(given)) * 3_600,
    )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A log, and the chance with which each row was clicked."""

    log: ClickLog
    chance: NDArray[np.float64]


def shown(rows: int = 20_000, ads: int = 12, rate: float = 0.1, places: bool = False, seed: int = 7) -> Shown:
    """Ads shown to readers of four cities, at random, one a minute.

    The log-odds of a click: a leaning of each ad, of each ad in each city, and less the dearer it is. With `places` an
    ad stands in place 1, 2 or 3, and is seen there with chance 1, 0.6 or 0.3.
    """
    rng = np.random.default_rng(seed)
    ad, city, price = rng.integers(ads, size=rows), rng.integers(4, size=rows), rng.gamma(2, 10, rows)
    odds = rng.normal(0, 0.5, ads)[ad] + rng.normal(0, 0.8, (ads, 4))[ad, city] - (price - 20) / 40
    place = rng.integers(1, 4, size=rows)
    chance = expit(logit(rate) + odds) * (np.array([1, 0.6, 0.3])[place - 1] if places else 1)
    clicked = rng.random(rows) < chance
    log = ClickLog.of(
        clicked, {"ad": [f"广告 {one}" for one in ad], "city": [f"city {one}" for one in city]}, {"price": price},
        positions=place if places else None, times=np.arange(rows) * 60,
    )  # fmt: skip
    return Shown(log, chance)


@dataclass(frozen=True)
class Served:
    """What a policy chose for each of many visitors, with what chance, and what was clicked."""

    rates: NDArray[np.float64]
    places: NDArray[np.int64]
    propensities: NDArray[np.float64]
    clicked: NDArray[np.float64]

    def regret(self) -> NDArray[np.float64]:
        """Clicks lost so far to somebody who knows the best ad, after each visitor."""
        return np.cumsum(self.rates.max() - self.rates[self.places])


@dataclass(frozen=True)
class Audience:
    """Visitors who click each ad at a rate that is known to us alone."""

    rates: tuple[float, ...]
    seed: int = 0

    def serve(self, policy: Policy, visitors: int, at_once: int = 100) -> Served:
        """Choose for `at_once` visitors, then count what they did."""
        rng, rates = np.random.default_rng(self.seed), np.array(self.rates)
        clicks, shows = np.zeros(len(rates)), np.zeros(len(rates))
        parts = []
        for _ in range(0, visitors, at_once):
            chances = policy.chances(clicks, shows)
            places = rng.choice(len(rates), at_once, p=chances)
            clicked = (rng.random(at_once) < rates[places]).astype(np.float64)
            clicks += np.bincount(places, clicked, len(rates))
            shows += np.bincount(places, minlength=len(rates))
            parts.append((places, chances[places], clicked))
        return Served(rates, *(np.concatenate(part) for part in zip(*parts, strict=True)))
