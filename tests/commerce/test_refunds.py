"""Money that goes back, from here or at the provider. After each the books hold what the provider holds."""

from __future__ import annotations

import pytest

from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Order, OrderLine, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.ledger import chart
from sishu.moderation import cases
from sishu.moderation.models import Case, Decision
from tests.commerce.sandbox import assert_paid_once, in_sandbox, notify
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, buy, pay, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def test_a_refund_reverses_the_sale_closes_the_work_and_happens_once(reader, offer, payment):
    pay(payment)
    finance = make_user("finance", "finance")
    first = refunds.refund(payment.pk, Refund.Part.SALE, by=finance, reason="asked within seven days")
    second = refunds.refund(payment.pk, Refund.Part.SALE, by=finance)
    assert first.pk == second.pk
    assert first.status == Refund.Status.SUCCEEDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert buy(reader, offer).status == Order.Status.PAID


def test_row_46_money_that_bought_nothing_goes_back_without_touching_the_sale(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment)
    refunds.refund(payment.pk, Refund.Part.UNAPPLIED, by=None)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 0
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 990
    assert_paid_once(reader, offer)


def test_what_arrives_after_a_refund_was_asked_for_is_not_counted_as_given_back(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment)
    asked = refunds.request(payment.pk, Refund.Part.UNAPPLIED, by=None)
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(2970, "CNY"), clock.now()))
    refunds.submit(asked)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990
    later = refunds.request(payment.pk, Refund.Part.UNAPPLIED, by=None)
    assert (later.pk != asked.pk, later.amount) == (True, 990)


def made_at_the_provider(payment: Payment, amount: int, reference: str = "console-1") -> None:
    bank().refund(reference=reference, charge=payment.reference, amount=amount)
    for number in (1, 2):
        assert notify(payment, number=number).status_code == 200


def test_row_45_a_whole_refund_made_at_the_provider_is_a_refund(reader, offer, payment):
    pay(payment)
    made_at_the_provider(payment, 990)
    made = Refund.objects.get()
    assert (made.reference, made.part, made.status, made.requested_by) == ("console-1", "sale", "succeeded", None)
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert not Case.objects.exists()


def test_row_45_a_refund_made_at_the_provider_takes_what_bought_nothing_first(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment)
    made_at_the_provider(payment, 990)
    assert Refund.objects.get().part == Refund.Part.UNAPPLIED
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 0
    assert_paid_once(reader, offer)


def test_row_45_a_part_refunded_at_the_provider_is_a_part_of_the_sale_and_one_case(reader, offer, payment):
    pay(payment)
    made_at_the_provider(payment, 100)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 890
    assert (Refund.objects.get().amount, Refund.objects.get().status) == (100, Refund.Status.SUCCEEDED)
    cases.decide(Case.objects.get(kind="foreign_refund"), Decision.Outcome.SETTLED, reason="goodwill")
    assert notify(payment).status_code == 200
    assert Case.objects.count() == 1
    assert access.level(reader, offer.page) == Level.PAID
    rest = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert (rest.amount, bank().totals()["CNY"], in_sandbox("asset:psp:sandbox")) == (890, 0, 0)


def test_row_45_a_part_that_may_be_of_either_stands_apart_and_opens_one_case(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment)
    made_at_the_provider(payment, 100)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 1880
    assert in_sandbox(f"asset:suspense:{payment.reference}") == 100
    assert Case.objects.filter(kind="foreign_refund").count() == 1
    assert_paid_once(reader, offer)


def test_row_44_45_a_refund_the_provider_refused_and_then_made_itself_is_one_refund(reader, offer, payment):
    pay(payment)
    asked = refunds.request(payment.pk, Refund.Part.SALE, by=make_user("finance", "finance"))
    refused = RefundSnapshot(asked.reference, RefundOutcome.FAILED, asked.money)
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), refunds=(refused,)))
    made_at_the_provider(payment, 990)
    assert (Refund.objects.get().pk, Refund.objects.get().status) == (asked.pk, Refund.Status.SUCCEEDED)
    assert in_sandbox("asset:psp:sandbox") == 0


def test_while_our_own_refund_is_under_way_another_one_is_a_persons_to_judge(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment)
    asked = refunds.request(payment.pk, Refund.Part.UNAPPLIED, by=None)
    made_at_the_provider(payment, 990)
    assert Case.objects.filter(kind="foreign_refund").count() == 1
    refunds.submit(asked)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert in_sandbox(f"asset:suspense:{payment.reference}") == 990
    assert_paid_once(reader, offer)


def test_row_45_a_part_that_stood_apart_is_of_the_sale_once_our_own_refund_has_ended(reader, offer, payment):
    pay(payment)
    line = OrderLine.objects.get()
    ours = refunds.request(payment.pk, Refund.Part.SALE, by=None, lines={line.pk: 300}, closes_access=False)
    made_at_the_provider(payment, 400)
    refunds.submit(ours)
    assert notify(payment).status_code == 200
    line.refresh_from_db()
    assert (line.refunded_amount, in_sandbox(f"asset:suspense:{payment.reference}")) == (700, 0)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 290
    assert Case.objects.get(kind="foreign_refund").code == "foreign_part"
    assert access.level(reader, offer.page) == Level.PAID


def test_row_45_a_refund_that_stood_apart_and_took_what_ours_asked_for_is_ours(reader, offer, payment):
    pay(payment)
    ours = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    made_at_the_provider(payment, 990)
    refunds.submit(ours)
    assert Refund.objects.get().status == Refund.Status.FAILED
    for _ in range(2):
        assert notify(payment).status_code == 200
    assert (Refund.objects.get().reference, Refund.objects.get().status) == ("console-1", Refund.Status.SUCCEEDED)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert in_sandbox(f"asset:suspense:{payment.reference}") == 0
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_row_45_a_refund_that_a_person_judged_stays_where_it_was_booked(reader, offer, payment):
    pay(payment)
    ours = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    made_at_the_provider(payment, 990)
    cases.decide(Case.objects.get(kind="foreign_refund"), Decision.Outcome.SETTLED, reason="by mistake")
    refunds.submit(ours)
    assert notify(payment).status_code == 200
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert in_sandbox(f"asset:suspense:{payment.reference}") == 990
    assert not Case.objects.filter(kind="foreign_refund", status=Case.Status.OPEN).exists()
    assert access.level(reader, offer.page) == Level.PAID


def test_row_45_one_number_on_two_payments_is_two_refunds(offer, payment):
    other = pay(start(make_user("other"), offer))
    pay(payment)
    number = "2026112800000000000000000000000000000001"  # of Alipay's console, where it is unique within a trade alone
    for one in (payment, other, payment, other):
        told_of(one, RefundSnapshot(number, RefundOutcome.SUCCEEDED, Money(990, "CNY")))
    assert {made.payment_id for made in Refund.objects.all()} == {payment.pk, other.pk}
    assert set(Order.objects.values_list("status", flat=True)) == {Order.Status.REFUNDED}
    assert in_sandbox("asset:psp:sandbox") == 0


def test_row_45_one_number_on_two_payments_stands_apart_twice(reader, offer, payment):
    other = start(make_user("other"), offer)
    for one in (payment, other):
        bank().pay(one.reference, times=2)
        notify(one)
        for _ in range(2):
            told_of(one, RefundSnapshot("console-1", RefundOutcome.SUCCEEDED, Money(100, "CNY")), captured=1980)
    assert [in_sandbox(chart.suspense(one.reference)) for one in (payment, other)] == [100, 100]
    assert Case.objects.filter(kind="foreign_refund").count() == 2
    told_of(other, RefundSnapshot("console-1", RefundOutcome.RETURNED, Money(100, "CNY")), captured=1980)
    assert [in_sandbox(chart.suspense(one.reference)) for one in (payment, other)] == [100, 0]


def test_a_refund_that_comes_back_leaves_the_one_whose_number_only_begins_alike(offer, payment):
    other = pay(start(make_user("other"), offer))
    pay(payment)
    told_of(payment, RefundSnapshot("20261128", RefundOutcome.SUCCEEDED, Money(990, "CNY")))
    told_of(other, RefundSnapshot("202611281", RefundOutcome.SUCCEEDED, Money(990, "CNY")))
    told_of(payment, RefundSnapshot("20261128", RefundOutcome.RETURNED, Money(990, "CNY")))
    assert in_sandbox("asset:psp:sandbox") == 990


def told_of(payment: Payment, refund: RefundSnapshot, captured: int = 990) -> None:
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(captured, "CNY"), refunds=(refund,)))
