"""The whole road with Alipay: order, page, the buyer pays, notices over HTTP to a site that runs, access, money back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from paysim.providers.alipay_events import SCHEDULE
from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Entitlement, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock
from sishu.gateways.base import Device
from sishu.ledger import chart
from sishu.ledger.models import Book, Transfer
from sishu.ledger.selectors import balance
from sishu.moderation.models import Case
from tests.commerce.sandbox import assert_bought_nothing, assert_paid_once
from tests.flows.told import answers, assert_same_money

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money]

PROVIDER = "alipay"


@pytest.fixture
def start(begin):
    """Begins the payment on a device: the payment, and the page that the buyer is sent to."""

    def at(device: Device = Device.DESKTOP) -> tuple[Payment, str]:
        payment, started = begin(buyer=payments.Buyer(device=device))
        return payment, started.instruction.url

    return at


@pytest.fixture
def payment(start):
    """A payment whose buyer is at Alipay's page."""
    payment, page = start()
    assert requests.get(page).ok
    return payment


def tell(simulator) -> None:
    """Deliver what is due, and look that the site understood."""
    simulator.notifier.run_due()
    assert {tried[-1] for tried in answers(simulator)} == {200}
    assert all(one.is_done for one in simulator.notifier.deliveries)


def test_from_the_order_to_access_and_back(simulator, reader, offer, start):
    payment, page = start()
    cashier = requests.get(page).url
    assert requests.post(cashier, {"ending": "pay"}, allow_redirects=False).status_code == 303
    assert_bought_nothing(reader, offer)
    tell(simulator)
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=None, reason="不想要了")
    assert refund.status == Refund.Status.SUCCEEDED
    tell(simulator)
    assert answers(simulator) == [[200], [200]]
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


@pytest.mark.parametrize(("kind", "value"), [("forged_signature", 0), ("other_merchant", "app"), ("other_merchant", 0)])
def test_row_08_09_what_is_not_alipays_or_not_for_us_changes_nothing(
    simulator, reader, offer, payment, fault, kind, value
):
    fault(kind, value)
    simulator.bank.pay("alipay", payment.reference)
    simulator.notifier.run_due()
    assert answers(simulator) == [[400]]
    assert_bought_nothing(reader, offer)
    payments.refresh(payment)
    assert_paid_once(reader, offer)


def test_row_10_12_another_currency_at_alipay_is_booked_and_opens_nothing(simulator, reader, offer, payment, fault):
    fault("wrong_currency", "HKD")
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    assert_bought_nothing(reader, offer)
    assert balance(chart.unapplied(payment.reference), book=Book.SANDBOX, currency="HKD") == 990
    assert Case.objects.count() == 1


def test_row_13_14_an_old_notice_of_alipay_changes_nothing_after_the_refund(simulator, payment, fault):
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    first = simulator.notifier.deliveries[0]
    refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    fault("old_timestamp", 86400)
    headers, body = first.compose()
    assert requests.post(first.url, body, headers=headers).status_code == 200
    assert not Entitlement.objects.filter(revoked_at=None).exists()
    assert_same_money(simulator, PROVIDER)


def test_row_17_a_title_full_of_signs_is_paid(simulator, reader, offer, payment):
    simulator.bank.find("alipay", payment.reference).title = '{"a": [}} & b=c + 50% \\ 🐎 {'
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    assert_paid_once(reader, offer)


def test_row_19_finished_three_months_later_is_no_second_sale(simulator, reader, offer, payment):
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    before = Transfer.objects.count()
    simulator.clock.advance(90 * 86400)
    simulator.providers["alipay"].events.finish(payment.reference)
    tell(simulator)
    assert answers(simulator) == [[200], [200]]
    assert Transfer.objects.count() == before
    assert_paid_once(reader, offer)


def test_row_20_45_parts_refunded_in_alipays_console_are_refunds(simulator, reader, payment):
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    for number, amount in (("console0001", 90), ("console0002", 900)):
        simulator.bank.refund("alipay", payment.reference, refund_reference=number, amount=amount, is_external=True)
        tell(simulator)
        assert_same_money(simulator, PROVIDER)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [90, 900]
    assert Order.objects.get(user=reader).status == Order.Status.REFUNDED


def test_row_21_closed_by_a_refund_is_a_refund_and_closed_unpaid_ends_the_attempt(simulator, reader, offer, start):
    unpaid, page = start()
    requests.get(page)
    simulator.bank.close("alipay", unpaid.reference)
    tell(simulator)
    unpaid.refresh_from_db()
    assert unpaid.status == Payment.Status.CLOSED
    paid, page = start()
    requests.get(page)
    simulator.bank.pay("alipay", paid.reference)
    tell(simulator)
    simulator.bank.refund("alipay", paid.reference, refund_reference="console0001", amount=990, is_external=True)
    tell(simulator)
    paid.refresh_from_db()
    assert paid.status == Payment.Status.CAPTURED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert_same_money(simulator, PROVIDER)


def test_row_22_the_refund_is_heard_of_before_the_payment_at_alipay(simulator, reader, payment):
    simulator.bank.pay("alipay", payment.reference)
    simulator.bank.refund("alipay", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    simulator.notifier.deliveries.reverse()
    tell(simulator)
    assert Order.objects.get(user=reader).status == Order.Status.REFUNDED
    assert_same_money(simulator, PROVIDER)


def test_a_refunds_notice_that_cannot_be_asked_about_is_taken_the_next_time(simulator, reader, offer, payment, fault):
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    simulator.bank.refund("alipay", payment.reference, refund_reference="console0001", amount=990, is_external=True)
    fault("error_before_effect")
    simulator.notifier.run_due()
    simulator.clock.advance(SCHEDULE[0] + 1)
    simulator.notifier.run_due()
    assert answers(simulator) == [[200], [503, 200]]
    assert access.level(reader, offer.page) == Level.SIGNED_IN


@pytest.mark.parametrize("is_told", [True, False])
def test_row_28_32_a_page_nobody_opened_stays_watched_while_another_is_begun(simulator, reader, offer, start, is_told):
    """Alipay cannot close what it does not know: the first may still be paid, and then the second stands apart."""
    first, page = start(Device.DESKTOP)
    second, other = start(Device.MOBILE)
    first.refresh_from_db()
    assert second.pk != first.pk
    assert (first.status, first.open_key) == (Payment.Status.PENDING, None)
    assert first.next_poll_at is not None
    for address, one in ((page, first), (other, second)):
        assert requests.get(address).ok
        simulator.bank.pay("alipay", one.reference)
    if is_told:
        tell(simulator)
    else:
        Payment.objects.update(next_poll_at=clock.now())
        assert payments.poll_due() == 2
    assert Entitlement.objects.count() == 1
    assert access.level(reader, offer.page) == Level.PAID
    assert balance(chart.provider("alipay"), book=Book.SANDBOX) == 2 * 990
    assert Case.objects.count() == 1


def test_row_32_what_nobody_opened_ends_after_its_order(payment, start, set_clock):
    assert payment.status == Payment.Status.PENDING
    order = payment.order
    unopened, _page = start(Device.MOBILE)
    payments.give_up(unopened)
    unopened.refresh_from_db()
    assert unopened.status == Payment.Status.PENDING
    set_clock(order.expires_at + timedelta(minutes=6))
    payments.give_up(unopened)
    unopened.refresh_from_db()
    assert unopened.status == Payment.Status.CLOSED


def test_row_44_a_refund_alipay_refuses_leaves_the_sale(simulator, reader, offer, payment, fault):
    simulator.bank.pay("alipay", payment.reference)
    tell(simulator)
    fault("refund_refused")
    assert refunds.refund(payment.pk, Refund.Part.SALE, by=None).status == Refund.Status.FAILED
    assert Case.objects.get().kind == "refund_failed"
    assert_paid_once(reader, offer)
    assert_same_money(simulator, PROVIDER)


def test_row_01_a_site_that_is_away_is_told_eight_times_in_25_hours(simulator, payment, settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {}}  # 404 to every notice
    simulator.bank.pay("alipay", payment.reference)
    for wait in (*SCHEDULE, 10**6):
        simulator.notifier.run_due()
        simulator.clock.advance(wait)
    assert simulator.notifier.run_due() == 0
    assert answers(simulator) == [[404] * 8]
