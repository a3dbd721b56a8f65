"""Who will click: the whole click model.

    P(click | x, k) = c( w_0 a_0 + e_k Σ_m w_m a_m(x) ),   m = 1, 2, …

a_0 is the rate of all rows, wherever they stood. The members a_m stand from the safe to the rich: the smoothed rate of
one key (`rates.py`); logistic regression on hashed names, crosses and numbers, without and with smoothed rates among
them, on the whole log (`logistic.py`) and row by row (`ftrl.py`). e_k is how well place k is seen (`position.py`), w how
far each member is to be believed (`blend.py`), c puts the chances right where there are clicks enough to do it by
(`calibration.py`).

Key, penalty, learning rate, w and c are chosen by what the members say of later rows than they learnt from; then all is
learnt anew from the whole log. By construction the blend says those rows no worse than a_0 does, and c is kept only
where it says better the half of them that it was not fitted on. Nothing of the kind is promised against another member,
nor for rows that come after: w goes to whom those rows speak for, slowly where they are few.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from sishu.estimators import metrics
from sishu.estimators.base import Saved
from sishu.estimators.blend import Blend
from sishu.estimators.calibration import Calibration
from sishu.estimators.clicks import ClickLog, ClickModel, Probabilities
from sishu.estimators.errors import InvalidInput
from sishu.estimators.ftrl import Ftrl
from sishu.estimators.logistic import Logistic
from sishu.estimators.position import Examination
from sishu.estimators.rates import SmoothedRate
from sishu.estimators.terms import Term, columns

Model = TypeVar("Model", bound=ClickModel)

Member = SmoothedRate | Logistic | Ftrl

LEARNERS = ("auto", "logistic", "ftrl")
ALPHAS = (0.01, 0.03, 0.1, 0.3)
# What is tried learns the rows before each of these shares of the log, and is asked about those up to the next.
BEGINS = (0.4, 0.6, 0.8)
LARGE = 200_000  # rows from which on the last share says enough, and FTRL, which reads them once, is all that is tried


class ClickThroughRate(Saved):
    """The chance of a click, blended and calibrated.

    `terms`: the schema (`terms.py`), empty for every column and the rate of every name. `key`: whose smoothed rate, as `ad`; empty
    to choose. `learner`: one of `LEARNERS`. `calibration`: isotonic, platt or none; only with `least_clicks` clicks to
    do it by. A log with `positions` is de-biased; asked without positions the model says how often a row is clicked in
    the place that is seen best.
    """

    examination_: Examination
    constant_: SmoothedRate
    members_: dict[str, Member]  # after the constant: those that the place of a row is taken out of
    blend_: Blend
    calibration_: Calibration
    fit_seconds_: float  # of the processor, once everything was chosen

    def __init__(
        self,
        terms: Sequence[str] = (),
        key: str = "",
        learner: str = "auto",
        calibration: str = "isotonic",
        least_clicks: int = 1000,
        bits: int = 18,
        memory_limit: int = 2**32,
        seed: int = 0,
    ) -> None:
        self.terms, self.key, self.learner = tuple(terms), key, learner
        self.calibration, self.least_clicks = calibration, least_clicks
        self.bits, self.memory_limit, self.seed = bits, memory_limit, seed

    def fit(self, log: ClickLog) -> Self:
        if self.learner not in LEARNERS:
            raise InvalidInput(f"There is no learner {self.learner!r}; known: {', '.join(LEARNERS)}.")
        log.outcomes  # noqa: B018 - refuse a log without them before anything is done
        log = log.ordered()
        trials = [_Trial(*parted) for parted in log.forward(BEGINS if log.count <= LARGE else BEGINS[-1:])]
        clicked = np.concatenate([trial.later.outcomes for trial in trials])

        keys = self._keys(log)
        rate, _ = _best([SmoothedRate(key, seed=self.seed) for key in keys], trials, clicked)
        fair = [trial.examined(rate.key) for trial in trials]
        self.constant_, self.members_ = SmoothedRate(seed=self.seed), {}
        said, tried = [_held_out(self.constant_, trials)], [1]
        # How hard a regression is best held hangs on how many rows it learns: the trial that learns the most decides.
        last = slice(-trials[-1].later.count, None)
        for name, models in {"rate": [rate], **self._regressions(log)}.items():
            self.members_[name], chances = _best(models, fair, clicked, last)
            said.append(chances)
            tried.append(len(keys) if name == "rate" else len(models))
        self.blend_ = Blend().fit(said, clicked, tried)
        self.calibration_ = self._calibrated(self.blend_(said), clicked)

        # What was chosen stays; what was learnt in the trials is learnt again, from all rows.
        began = time.process_time()
        self.examination_ = Examination(rate.key, seed=self.seed).fit(log)
        self.constant_.fit(log)
        for model in self.members_.values():
            model.fit(self.examination_.weighted(log))
        self.fit_seconds_ = time.process_time() - began
        return self

    def partial_fit(self, log: ClickLog) -> Self:
        """The members learn the later rows; what was chosen and how well places are seen stay as they are."""
        if not hasattr(self, "calibration_"):
            return self.fit(log)
        self.constant_.partial_fit(log)
        for model in self.members_.values():
            model.partial_fit(self.examination_.weighted(log))
        return self

    def predict_proba(self, log: ClickLog) -> Probabilities:
        weights, seen = self.weights, self.examination_.seen(log)
        said = weights["constant"] * self.constant_.predict_proba(log)
        for name, model in self.members_.items():
            if weights[name]:
                said += weights[name] * seen * model.predict_proba(log)
        return self.calibration_(said)

    @property
    def weights(self) -> dict[str, float]:
        """How far each member is believed, by its name."""
        return dict(zip(("constant", *self.members_), self.blend_.weights_.tolist(), strict=True))

    @property
    def reason(self) -> str:
        """What is believed and how far, in one sentence."""
        said = [
            f"{name}{_setting(self.members_.get(name))} {weight:.3f}" for name, weight in self.weights.items() if weight
        ]
        return f"Believed by what they said of later rows: {', '.join(said)}."

    def _keys(self, log: ClickLog) -> list[str]:
        """Whose rate may be taken: every column of names, and every cross of such in the schema."""
        crosses = [term for term in map(Term.of, self.terms) if len(term.columns) > 1]
        named = [":".join(term.columns) for term in crosses if set(term.columns) <= set(log.categories)]
        return [self.key] if self.key else list(dict.fromkeys([*log.categories, *named])) or [""]

    def _regressions(self, log: ClickLog) -> dict[str, Sequence[Member]]:
        """What is tried, by name, each with the settings of which the best is taken."""
        terms = self.terms or (*columns(log), *(f"rate({name})" for name in log.categories))
        plain = tuple(text for text in terms if not Term.of(text).is_rate)
        schemas = {"": plain} if plain == terms else {"": plain, " with rates": terms}
        common: dict[str, Any] = {"bits": self.bits, "memory_limit": self.memory_limit, "seed": self.seed}
        tried: dict[str, Sequence[Member]] = {}
        for suffix, schema in schemas.items():
            if self.learner == "logistic" or (self.learner == "auto" and log.count <= LARGE):
                tried[f"logistic{suffix}"] = [Logistic(schema, l2, **common) for l2 in Logistic.PENALTIES]
            if self.learner != "logistic":
                tried[f"ftrl{suffix}"] = [Ftrl(schema, alpha, **common) for alpha in ALPHAS]
        return tried

    def _calibrated(self, chances: Probabilities, clicked: NDArray[np.float64]) -> Calibration:
        """Fitted on every other row, and kept if it says the rest better."""
        fitted = Calibration(self.calibration, self.least_clicks).fit(chances[::2], clicked[::2])
        rest = chances[1::2], clicked[1::2]
        if fitted.is_fitted_ and metrics.log_loss(rest[1], fitted(rest[0])) < metrics.log_loss(rest[1], rest[0]):
            return fitted
        return Calibration("none").fit(*rest)


def _setting(model: Member | None) -> str:
    match model:
        case SmoothedRate(key=key):
            return f" of {key}" if key else ""
        case Logistic(l2=l2):
            return f" (l2 {l2:g})"
        case Ftrl(alpha=alpha):
            return f" (alpha {alpha:g})"
    return ""


@dataclass(frozen=True, eq=False)
class _Trial:
    """Rows to learn from, and later ones to be asked about, each of which is seen with chance `seen`."""

    earlier: ClickLog
    later: ClickLog
    seen: Any = 1.0

    def examined(self, key: str) -> _Trial:
        examination = Examination(key).fit(self.earlier)
        return replace(self, earlier=examination.weighted(self.earlier), seen=examination.seen(self.later))


def _held_out(model: ClickModel, trials: Sequence[_Trial]) -> Probabilities:
    """What the model says of the later rows of all trials."""
    return np.concatenate([model.fit(trial.earlier).predict_proba(trial.later) * trial.seen for trial in trials])


def _best(
    models: Sequence[Model], trials: Sequence[_Trial], clicked: NDArray[np.float64], asked: slice = slice(None)
) -> tuple[Model, Probabilities]:
    """The model that says those of the later rows best, and what it says of all of them."""
    said = [_held_out(model, trials) for model in models]
    place = int(np.argmin([metrics.log_loss(clicked[asked], each[asked]) for each in said]))
    return models[place], said[place]
