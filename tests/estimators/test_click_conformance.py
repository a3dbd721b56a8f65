"""What every click model promises, whoever it is."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.estimators.clicks import ClickLog
from sishu.estimators.ctr import ClickThroughRate
from sishu.estimators.errors import InvalidInput
from sishu.estimators.ftrl import Ftrl
from sishu.estimators.logistic import Logistic
from sishu.estimators.rates import SmoothedRate
from sishu.estimators.ridge import Ridge
from tests.estimators.worlds import shown

TERMS = ("ad", "city", "price", "ad:city", "rate(ad)")
MEMBERS = {
    "constant": SmoothedRate,
    "rate": lambda: SmoothedRate("ad"),
    "logistic": lambda: Logistic(TERMS, bits=8),
    "ftrl": lambda: Ftrl(TERMS, bits=8),
    "ridge": lambda: Ridge(TERMS, bits=8),
    "ctr": lambda: ClickThroughRate(TERMS, bits=8),
    "ctr with places": lambda: ClickThroughRate(TERMS, bits=8, learner="ftrl"),
}
NEW = ClickLog.of(categories={"ad": ["从未见过", ""], "city": ["no where", "city 1"]}, numbers={"price": [20.0, -1e6]})


@pytest.fixture(params=MEMBERS)
def member(request):
    return MEMBERS[request.param]


@pytest.fixture
def log(request):
    return shown(1500, places="places" in request.node.name).log


def test_chances_are_chances(member, log):
    model = member()
    assert model.fit(log) is model
    for asked in (log, NEW):
        said = model.predict_proba(asked)
        assert said.shape == (asked.count,)
        assert np.isfinite(said).all()
        assert ((said >= 0) & (said <= 1)).all()


def test_the_same_log_gives_the_same_model(member, log):
    assert member().fit(log).predict_proba(log).tolist() == member().fit(log).predict_proba(log).tolist()


def test_it_fits_anew_whatever_it_knew(member, log):
    other = shown(500, seed=9, places=log.positions is not None).log
    assert member().fit(other).fit(log).predict_proba(log).tolist() == member().fit(log).predict_proba(log).tolist()


def test_the_first_part_is_a_fit(member, log):
    assert member().partial_fit(log).predict_proba(log).tolist() == member().fit(log).predict_proba(log).tolist()


def test_later_rows_move_what_is_said(member, log):
    earlier, later = log.parted(0.5)
    model = member().fit(earlier)
    before = model.predict_proba(log).mean()
    all_clicked = ClickLog.of(
        np.ones(later.count), later.categories, later.numbers, later.positions, times=later.times
    )  # fmt: skip
    assert model.partial_fit(all_clicked).predict_proba(log).mean() > before + 0.05


def test_a_row_is_said_the_same_whatever_stands_beside_it(member, log):
    model = member().fit(log)
    said = model.predict_proba(log)
    shuffled = np.random.default_rng(1).permutation(log.count)
    assert model.predict_proba(log.take(shuffled)) == pytest.approx(said[shuffled], abs=1e-12)
    assert model.predict_proba(log.take(slice(5))) == pytest.approx(said[:5], abs=1e-12)
    assert model.predict_proba(log.take(slice(0))).tolist() == []


def test_the_order_of_rows_is_that_of_their_times(member, log):
    shuffled = log.take(np.random.default_rng(1).permutation(log.count))
    assert member().fit(shuffled).predict_proba(log) == pytest.approx(member().fit(log).predict_proba(log), abs=1e-9)


def test_it_comes_back_from_its_file_and_goes_on_learning(member, log, tmp_path):
    earlier, later = log.parted(0.5)
    model = member().fit(earlier)
    model.save(tmp_path / "model.npz")
    loaded = type(model).load(tmp_path / "model.npz")
    assert loaded.params() == model.params()
    assert loaded.predict_proba(log).tolist() == model.predict_proba(log).tolist()
    assert loaded.predict_proba(NEW).tolist() == model.predict_proba(NEW).tolist()
    again = loaded.partial_fit(later).predict_proba(log)
    assert again.tolist() == model.partial_fit(later).predict_proba(log).tolist()


@pytest.mark.parametrize("outcome", [0, 1])
def test_where_all_rows_end_alike_it_stays_below_certainty(member, log, outcome):
    alike = ClickLog.of(np.full(log.count, outcome), log.categories, log.numbers, log.positions, times=log.times)
    said = member().fit(alike).predict_proba(NEW)[0]
    assert abs(said - outcome) < 0.05


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_few_rows_are_enough_to_say_something(member, log, rows):
    assert np.isfinite(member().fit(log.take(slice(rows))).predict_proba(NEW)).all()


def test_a_log_without_rows_or_outcomes_is_refused(member, log):
    for empty in (log.take(slice(0)), log.take(slice(0)).without_positions(), NEW):
        with pytest.raises(InvalidInput):
            member().fit(empty)


def test_a_column_that_is_not_there_is_named(member, log):
    model = member().fit(log)
    asks = not isinstance(model, ClickThroughRate) or model.weights["constant"] < 1
    if asks and "ad" in str(model.params()):
        with pytest.raises(InvalidInput, match="'ad'"):
            model.predict_proba(ClickLog.of(categories={"city": ["city 1"]}, numbers={"price": [1.0]}))
