"""Our books beside the provider's bill: what agrees, what is put right, and what a person must see."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command

from sishu.commerce import access, bills, payments, reconcile, refunds
from sishu.commerce.models import BillLine, OrderLine, Payment, ProviderBill, Refund
from sishu.content.paywall import Level
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import BillEntry, BillNotReady, EntryKind, GatewayError, NoBills
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger import chart
from sishu.moderation import cases
from sishu.moderation.models import Case, Decision
from tests.commerce.sandbox import in_sandbox
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, pay, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]

PSP = "asset:psp:sandbox"


def today() -> date:
    return clock.now().date()


def run(day: date | None = None) -> reconcile.Report:
    return reconcile.reconcile("sandbox", day or today())


def outcomes() -> list[str]:
    return list(BillLine.objects.values_list("outcome", flat=True))


class Bank(SandboxGateway):
    """The sandbox with a bill that a test writes over: `change(bill)`."""

    change = staticmethod(lambda bill: bill)

    def fetch_bill(self, day):
        return type(self).change(super().fetch_bill(day))


@pytest.fixture
def bill_says(settings, monkeypatch):
    """Sets how the provider's bill differs from what the bank did."""
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"sandbox": (f"{__name__}.Bank", {})}}

    def say(change) -> None:
        monkeypatch.setattr(
            Bank, "change", staticmethod(lambda bill: replace(change(bill), raw=repr(change(bill)).encode()))
        )

    return say


def with_fee(fee: int):
    def change(bill):
        return replace(bill, entries=tuple(replace(one, fee=Money(fee, "CNY")) for one in bill.entries), closing=())

    return change


def test_a_day_that_agrees_is_clean_however_often_it_is_compared(payment):
    pay(payment)
    refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 90}, closes_access=False)
    for _ in range(2):
        report = run()
        assert report.is_clean
        assert report.outcomes == {"matched": 2}
        assert report.balances == [(Money(900, "CNY"), Money(900, "CNY"), Money(0, "CNY"))]
    assert ProviderBill.objects.count() == 1
    assert json.loads(bills.read(ProviderBill.objects.get()))
    assert not Case.objects.exists()


def test_row_65_money_that_a_restored_database_knows_nothing_of_is_found_and_buys(reader, offer, payment):
    bank().pay(payment.reference)
    assert run().is_clean
    assert access.level(reader, offer.page) == Level.PAID
    assert in_sandbox(PSP) == 990


def test_row_65_66_a_payment_lost_with_the_database_is_booked_apart_and_a_case(payment):
    bank().pay(payment.reference)
    Payment.objects.update(reference="of-another-life", provider_reference="")
    report = run()
    assert report.differences == ["missing_local"]
    assert (in_sandbox(PSP), in_sandbox(chart.unclaimed("sandbox"))) == (990, 990)
    case = Case.objects.get(kind="reconciliation")
    assert case.data["reference"] == payment.reference
    assert run().differences == ["missing_local"]
    assert in_sandbox(PSP) == 990, "booked once"
    cases.decide(case, Decision.Outcome.SETTLED, reason="sent back by hand")
    run()
    assert not Case.objects.filter(status=Case.Status.OPEN).exists(), "what was ruled on is not asked again"


def forget_entries(**changes) -> None:
    with sqlite3.connect(bank().path) as db:
        if changes:
            db.execute("UPDATE entry SET amount = ?", (changes["amount"],))
        else:
            db.execute("DELETE FROM entry")


def test_row_66_a_payment_that_no_bill_tells_of_is_news_once_the_next_bill_is_here(payment, set_clock):
    pay(payment)
    forget_entries()
    day = today()
    assert run(day).is_clean
    set_clock(clock.now() + timedelta(days=1))
    run()
    report = run(day)
    assert report.differences == ["missing_remote"]
    assert report.balances == [(Money(990, "CNY"), Money(0, "CNY"), Money(990, "CNY"))]


def test_row_66_access_without_money_is_the_worst_and_said_so(payment, set_clock):
    pay(payment)
    with sqlite3.connect(bank().path) as db:
        db.execute("DELETE FROM entry")
        db.execute("UPDATE charge SET captured = 0, outcome = 'pending', captured_at = NULL")
    day = today()
    run(day)
    set_clock(clock.now() + timedelta(days=1))
    run()
    assert run(day).differences == ["access_without_money"]


def test_row_66_another_amount_is_a_case_and_nothing_is_mended_silently(payment):
    pay(payment)
    forget_entries(amount=991)
    report = run()
    assert sorted(report.differences) == ["amount_differs", "balance_differs"]
    assert in_sandbox(PSP) == 990
    assert outcomes() == ["amount_differs"]


def test_row_66_a_line_that_comes_twice_is_told_as_that(payment, bill_says):
    pay(payment)
    bill_says(lambda bill: replace(bill, entries=bill.entries * 2))
    assert "duplicate" in run().differences


def test_fees_are_booked_from_the_bill_and_a_corrected_bill_with_others_is_a_case(payment, bill_says):
    pay(payment)
    bill_says(with_fee(6))
    for _ in range(2):
        assert run().is_clean
    assert (in_sandbox(chart.PROVIDER_FEES), in_sandbox(PSP)) == (6, 984)
    bill_says(with_fee(7))
    report = run()
    assert "fee_differs" in report.differences
    assert in_sandbox(chart.PROVIDER_FEES) == 6


def test_row_45_a_refund_at_the_console_that_only_the_bill_tells_of(payment, bill_says, reader, offer):
    pay(payment)

    def told(bill):
        gone = BillEntry(
            EntryKind.REFUND, payment.reference, "", Money(-990, "CNY"), Money(0, "CNY"), clock.now(), "console-7"
        )
        return replace(bill, entries=(*bill.entries, gone), closing=())

    bill_says(told)
    assert run().is_clean
    assert Refund.objects.get().reference == "console-7"
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox(PSP) == 0


def test_row_45_one_number_on_two_payments_is_compared_with_each(payment, offer, bill_says, set_clock):
    first, second, day = pay(payment), pay(start(make_user("other"), offer)), today()

    def told(bill):
        if bill.day != day:
            return bill
        gone = [
            BillEntry(
                EntryKind.REFUND, one.reference, "", Money(-amount, "CNY"), Money(0, "CNY"), clock.now(), "console-7"
            )
            for one, amount in ((first, 990), (second, 400))
        ]
        return replace(bill, entries=(*bill.entries, *gone), closing=())

    bill_says(told)
    for _ in range(2):
        assert run(day).is_clean
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [400, 990]
    assert in_sandbox(PSP) == 590
    set_clock(clock.now() + timedelta(days=1))
    run()
    assert run(day).differences == []


def given_back_at_the_console(payment: Payment, amount: int) -> None:
    bank().refund(reference="console-7", charge=payment.reference, amount=amount)
    payments.refresh(payment)


def test_row_45_a_refund_that_stood_apart_is_booked_once_when_the_bill_tells_of_it_again(payment):
    pay(payment)
    ours = refunds.request(payment.pk, Refund.Part.SALE, by=None, lines={OrderLine.objects.get().pk: 300})
    given_back_at_the_console(payment, 400)
    assert in_sandbox(chart.suspense(payment.reference)) == 400
    refunds.submit(ours)
    for _ in range(2):
        assert run().is_clean
    assert in_sandbox(PSP) == bank().totals()["CNY"] == 290
    assert in_sandbox(chart.suspense(payment.reference)) == 0


@pytest.mark.parametrize("times", [1, 2], ids=["of the sale", "apart"])
def test_a_refund_at_the_console_that_no_bill_tells_of_yet_is_no_difference(payment, bill_says, times):
    bank().pay(payment.reference, times=times)
    payments.refresh(payment)
    given_back_at_the_console(payment, 100)
    assert in_sandbox(chart.suspense(payment.reference)) == (100 if times == 2 else 0)
    bill_says(lambda bill: replace(bill, entries=bill.entries[:-1], closing=()))
    report = run()
    assert report.is_clean
    assert report.balances[0][2] == Money(-100, "CNY")


def test_money_settled_to_the_bank_leaves_the_providers_account(payment, bill_says):
    pay(payment)
    paid_out = BillEntry(EntryKind.PAYOUT, "", "po_1", Money(-900, "CNY"), Money(1, "CNY"), clock.now())
    bill_says(lambda bill: replace(bill, entries=(*bill.entries, paid_out), closing=()))
    for _ in range(2):
        report = run()
        assert (report.is_clean, report.outcomes["posted"]) == (True, 1)
    assert (in_sandbox(PSP), in_sandbox(chart.BANK), in_sandbox(chart.PROVIDER_FEES)) == (89, 900, 1)


def test_what_nobody_can_name_is_booked_apart(payment, bill_says):
    pay(payment)
    odd = BillEntry(EntryKind.OTHER, "", "adj_1", Money(-5, "CNY"), Money(0, "CNY"), clock.now())
    bill_says(lambda bill: replace(bill, entries=(*bill.entries, odd), closing=()))
    assert run().differences == ["missing_local"]
    assert in_sandbox(chart.unclaimed("sandbox")) == -5


def test_a_night_that_does_not_lead_to_the_next_is_a_case(payment, bill_says, set_clock):
    pay(payment)
    run()
    set_clock(clock.now() + timedelta(days=1))
    bill_says(lambda bill: replace(bill, closing=(Money(991, "CNY"),)))
    assert run().differences == ["closing_differs"]


def test_a_refund_that_is_still_on_its_way_is_not_yet_compared(payment):
    pay(payment)
    one = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    bank().refund(reference=one.reference, charge=payment.reference, amount=990)
    assert run().outcomes == {"matched": 1, "timing": 1}


@pytest.mark.parametrize(
    ("error", "status"), [(BillNotReady, "not_ready"), (NoBills, "no_bills"), (GatewayError, "silent")]
)
def test_without_a_bill_nothing_is_compared_and_that_is_said(payment, bill_says, error, status):
    def refuse(_bill):
        raise error("no")

    bill_says(refuse)
    report = run()
    assert (report.status, report.is_clean) == (status, status == "no_bills")
    assert not ProviderBill.objects.exists()


def test_the_command_tells_and_its_exit_code_says_whether_they_agree(payment, capsys):
    pay(payment)
    call_command("reconcile", date=str(today()), json=True)
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["is_clean"], report["lines"]) == (True, {"matched": 1})
    other = pay(start(make_user(), payment.order.lines.get().offer))
    Payment.objects.filter(pk=other.pk).update(reference="of-another-life", provider_reference="")
    with pytest.raises(CommandError, match="differ"):
        call_command("reconcile", date=str(today()))
    assert "difference: missing_local" in capsys.readouterr().out
    with pytest.raises(CommandError, match="2026-11-25"):
        call_command("reconcile", date="yesterday")
    with pytest.raises(CommandError, match="there: sandbox"):
        call_command("reconcile", gateway="alipai")
    payments.refresh(payment)
