"""A trial purchase goes the whole road with real calls: paid, booked, given back, and the provider's bill still agrees."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest

from sishu.accounts import roles
from sishu.commerce import case_words, merchants, reconcile, trials, upkeep
from sishu.commerce.models import BillLine, TrialPurchase
from sishu.core import clock
from sishu.core.errors import Invalid
from sishu.gateways.base import GatewayError, RefundOutcome, RefundSnapshot
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger import chart
from sishu.moderation.models import Case
from tests.commerce.sandbox import in_sandbox, notify
from tests.factories.accounts import make_user
from tests.factories.commerce import bank

pytestmark = [pytest.mark.django_db, pytest.mark.money]
PSP = "asset:psp:sandbox"


@pytest.fixture
def trial() -> TrialPurchase:
    owner = make_user("owner")
    roles.assign(owner, roles.OWNER)
    trial = trials.begin("sandbox", 1, by=owner)
    trials.start(trial, return_url="http://testserver/")
    return trial


def read(trial: TrialPurchase) -> TrialPurchase:
    return TrialPurchase.objects.get(pk=trial.pk)


def held(trial: TrialPurchase) -> int:
    return in_sandbox(chart.unapplied(trial.reference))


def outcomes() -> list[str]:
    return list(BillLine.objects.values_list("outcome", flat=True))


def test_it_is_paid_booked_and_given_back(trial):
    assert trials.follow(trial).status == "pending"
    bank().pay(trial.reference)
    done = trials.follow(trial)
    assert (done.status, done.captured_amount, done.returned_amount) == ("returned", 1, 1)
    assert (in_sandbox(PSP), held(trial)) == (0, 0)
    assert bank().totals() == {"CNY": 0}
    assert bank().refunds(trial.reference) == [(f"{trial.reference}r1", 1)]
    assert trials.follow(done).status == "returned"
    assert len(bank().refunds(trial.reference)) == 1


def test_its_notice_is_no_strangers_and_the_worker_gives_it_back(trial):
    bank().pay(trial.reference)
    assert notify(trial).status_code == 200
    assert (read(trial).status, held(trial)) == ("captured", 1)
    assert notify(trial).status_code == 200
    assert not Case.objects.exists()
    assert upkeep.follow_trials.call() == 1
    assert read(trial).status == "returned"
    assert notify(trial, number=2).status_code == 200
    assert (in_sandbox(PSP), held(trial)) == (0, 0)


def test_the_providers_bill_agrees(trial):
    bank().pay(trial.reference)
    trials.follow(trial)
    report = reconcile.reconcile("sandbox", clock.now().date())
    assert report.is_clean, report.differences
    assert outcomes() == ["matched", "matched"]


def test_the_bill_agrees_between_payment_and_return(trial, monkeypatch):
    bank().pay(trial.reference)
    pending = RefundSnapshot(f"{trial.reference}r1", RefundOutcome.PENDING, trial.money)
    monkeypatch.setattr(SandboxGateway, "refund", lambda self, request: pending)
    assert trials.follow(trial).status == "captured"
    report = reconcile.reconcile("sandbox", clock.now().date())
    assert report.is_clean, report.differences
    assert in_sandbox(PSP) == held(trial) == 1


def forget(*statements: str) -> None:
    """Let the provider lose what it knew."""
    with sqlite3.connect(bank().path) as db:
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    ("statements", "codes"),
    [
        (["DELETE FROM entry"], ["refund_missing_remote", "missing_remote"]),
        (["DELETE FROM entry WHERE amount < 0"], ["refund_missing_remote"]),
        (
            ["DELETE FROM entry", "UPDATE charge SET captured = 0, outcome = 'pending', captured_at = NULL"],
            ["refund_missing_remote", "trial_without_money"],
        ),
    ],
)
def test_row_66_a_trial_that_no_bill_tells_of_is_news_once_the_next_bill_is_here(trial, set_clock, statements, codes):
    bank().pay(trial.reference)
    trials.follow(trial)
    forget(*statements)
    day = clock.now().date()
    assert reconcile.reconcile("sandbox", day).is_clean
    set_clock(clock.now() + timedelta(days=1))
    reconcile.reconcile("sandbox", clock.now().date())
    assert reconcile.reconcile("sandbox", day).differences == codes
    case = Case.objects.get(ref=trial.ref)
    assert case.code == codes[-1]
    assert trial.reference in case_words.remark(case)


def test_a_return_that_the_provider_refuses_is_said_and_the_bill_tells_of_one_made_at_its_console(trial, monkeypatch):
    bank().pay(trial.reference)
    refused = RefundSnapshot(f"{trial.reference}r1", RefundOutcome.FAILED, trial.money)
    monkeypatch.setattr(SandboxGateway, "refund", lambda self, request: refused)
    assert trials.follow(trial).status == "refused"
    assert held(trial) == 1
    bank().refund(reference="console", charge=trial.reference, amount=1)
    assert reconcile.reconcile("sandbox", clock.now().date()).is_clean
    assert (read(trial).status, held(trial)) == ("returned", 0)


def test_paid_twice_all_of_it_goes_back(trial):
    bank().pay(trial.reference, times=2)
    assert trials.follow(trial).returned_amount == 2
    assert bank().totals() == {"CNY": 0}


@pytest.mark.parametrize("outcome", [RefundOutcome.SUCCEEDED, RefundOutcome.FAILED])
def test_an_answer_about_the_first_payment_does_not_give_back_the_second(trial, outcome):
    bank().pay(trial.reference, times=2)
    seen = merchants.gateway("sandbox").query(trial.reference)
    trials.apply(trial, replace(seen, captured=trial.money))
    stale = RefundSnapshot(read(trial).refund_reference, outcome, trial.money)
    trials.apply(trial, seen)
    assert trials.give_back(trial, stale).status == "captured"
    assert (held(trial), read(trial).returned_amount) == (2, 0)
    assert trials.follow(read(trial)).returned_amount == 2
    assert (in_sandbox(PSP), held(trial)) == (0, 0)


def test_one_that_nobody_pays_ends_and_money_after_that_goes_back(trial, set_clock):
    set_clock(trial.created_at + trials.LIFETIME + trials.LIFETIME)
    assert upkeep.follow_trials.call() == 1
    assert read(trial).status == "ended"
    assert upkeep.follow_trials.call() == 0


def test_a_silent_provider_is_told_and_asked_again(trial, monkeypatch):
    def silent(self, reference, provider_reference=""):
        raise GatewayError("no answer within 5 s")

    bank().pay(trial.reference)
    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "query", silent)
        with pytest.raises(trials.TrialFailed, match="no answer within 5 s"):
            trials.follow(trial)
        assert upkeep.follow_trials.call() == 1
    assert trials.follow(trial).status == "returned"


def test_what_cannot_be_tried_is_refused(settings):
    owner = make_user("owner")
    with pytest.raises(Invalid):
        trials.begin("sandbox", 7, by=owner)
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": ("tests.gateways.keyed.KeyedGateway", {})}}
    assert merchants.usable() == []
    with pytest.raises(trials.TrialFailed):
        trials.begin("keyed", 1, by=owner)
    assert not TrialPurchase.objects.exists()
