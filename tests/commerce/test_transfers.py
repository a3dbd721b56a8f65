"""Bank transfers from the order to the books: what finance records is believed, once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils.timezone import localdate
from django.utils.translation import override

from sishu.commerce import access, offers, orders, payments, refunds, timeline, transfers
from sishu.commerce.models import BankEntry, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock, plugins
from sishu.core.errors import Invalid
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance
from sishu.moderation.models import Case
from tests.factories.accounts import make_user
from tests.factories.gateways import OFFLINE, WALLET, Wallet, use

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture(autouse=True)
def _gateways(settings):
    use(settings, wallet=WALLET, offline=OFFLINE)
    with override("en"):
        yield


@pytest.fixture
def finance():
    return make_user("finance", "finance", display_name="Finance")


def begin(order: Order, gateway: str = "offline") -> Payment:
    return payments.start(order.pk, gateway, notify_url="http://x/", return_url="http://x/")[0]


@pytest.fixture
def wallet() -> Wallet:
    return plugins.load("gateways", "wallet")


@pytest.fixture
def order(reader, offer) -> Order:
    return orders.place(reader, offer.pk, language="en")


@pytest.fixture
def payment(order) -> Payment:
    return begin(order)


def record(payment: Payment, amount: int, by, *, bank_reference: str = "B-1", days: int = 0) -> Payment:
    return transfers.record(
        payment.pk, Money(amount, "CNY"), booked_on=localdate(clock.now()) + timedelta(days=days),
        bank_reference=bank_reference, by=by,
    )  # fmt: skip


def live(code: str) -> int:
    return balance(code, book=Book.LIVE)


def after(order: Order, **time: int) -> datetime:
    """A moment counted from the order's beginning."""
    return order.created_at + timedelta(**time)


def test_a_transfer_may_take_days_from_its_orders_beginning_and_leaves_the_orders_time_as_it_is(order, set_clock):
    first, own = begin(order), order.expires_at
    set_clock(after(order, minutes=20))
    payments.give_up(first)
    second = begin(order)
    order.refresh_from_db()
    assert first.expires_at == second.expires_at == after(order, days=7)
    assert begin(order, "wallet").expires_at == order.expires_at == own


def test_an_order_that_waits_longer_than_a_transfer_is_not_cut_short(order):
    later = after(order, days=30)
    Order.objects.filter(pk=order.pk).update(expires_at=later)
    assert begin(order).expires_at == later


def test_a_transfer_that_waits_is_found_again_and_no_other_way_is_begun_after_the_orders_time(
    reader, offer, order, payment, set_clock
):
    set_clock(after(order, hours=1))
    assert orders.expire_due() == 0
    assert begin(order) == payment
    with pytest.raises(WrongStatus, match="not open for payment"):
        begin(order, "wallet")
    assert orders.place(reader, offer.pk, language="en", gateway="offline") == order


@pytest.mark.parametrize("gateway", ["wallet", ""])
def test_who_comes_back_to_pay_otherwise_gets_a_new_order_at_todays_price(reader, offer, payment, set_clock, gateway):
    offers.price(offer.page, Money(1990, "CNY"))
    set_clock(after(payment.order, hours=1))
    order = orders.place(reader, offer.pk, language="en", gateway=gateway)
    assert (order.pk == payment.order_id, order.amount) == (False, 1990)


def test_a_transfer_that_comes_after_another_order_was_paid_is_set_apart(
    reader, offer, payment, finance, wallet, set_clock
):
    set_clock(after(payment.order, hours=1))
    begin(orders.place(reader, offer.pk, language="en", gateway="wallet"), "wallet")
    wallet.pay()
    payments.refresh(Payment.objects.get(gateway="wallet"))
    assert not record(payment, 990, finance).is_applied
    assert [case.code for case in Case.objects.all()] == ["already_owned"]


def test_a_transfer_that_comes_in_time_buys_though_a_new_order_took_its_place(
    reader, offer, payment, finance, set_clock
):
    set_clock(after(payment.order, hours=1))
    orders.place(reader, offer.pk, language="en", gateway="wallet")
    assert record(payment, 990, finance).is_applied
    assert access.level(reader, offer.page) == Level.PAID


def test_other_money_that_comes_after_the_orders_time_is_late_though_a_transfer_is_waited_for(
    order, payment, finance, wallet, set_clock
):
    other = begin(order, "wallet")
    set_clock(after(order, hours=1))
    wallet.pay()
    assert not payments.refresh(other).is_applied
    assert [case.code for case in Case.objects.all()] == ["too_late"]
    order.refresh_from_db()
    assert (order.status, orders.open_until(order)) == (Order.Status.AWAITING_PAYMENT, payment.expires_at)
    assert record(payment, 990, finance).is_applied


def test_the_orders_end_is_told_at_the_transfers_deadline(order, payment, set_clock):
    set_clock(after(order, days=7, minutes=3))
    assert orders.expire_due() == 1
    order.refresh_from_db()
    told = {event.what: event.moment for event in timeline.of_order(order)}
    assert told["Order expired"] == payment.expires_at


def test_nobody_is_asked_while_it_waits_and_the_attempt_ends_after_it(payment, set_clock):
    start = clock.now()
    for days in (1, 3, 7):
        set_clock(start + timedelta(days=days))
        assert payments.poll_due() == 0
    set_clock(start + timedelta(days=8, minutes=1))
    assert (orders.expire_due(), payments.poll_due()) == (1, 1)
    payment.refresh_from_db()
    assert (payment.status, payment.next_poll_at) == (Payment.Status.CLOSED, None)


def test_what_is_recorded_settles_the_order(reader, offer, payment, finance):
    paid = record(payment, 990, finance, bank_reference=" tx 20261126 001 ")
    assert (paid.status, paid.is_applied, paid.captured_at) == (Payment.Status.CAPTURED, True, payment.created_at)
    assert access.level(reader, offer.page) == Level.PAID
    assert (live("asset:psp:offline"), live("income:platform")) == (990, 99)
    entry = BankEntry.objects.get()
    assert (entry.bank_reference, entry.recorded_by, entry.money) == ("TX20261126001", finance, Money(990, "CNY"))
    told = [(event.what, event.who) for event in timeline.of_order(Order.objects.get())]
    assert ("Transfer recorded", "Finance") in told


@pytest.mark.parametrize("again", ["B-1", "b-1", " B -1 "])
def test_one_line_of_the_banks_statement_counts_once(payment, finance, again):
    record(payment, 990, finance)
    with pytest.raises(
        transfers.AlreadyRecorded, match=f"B-1 was recorded before, with ¥9.90 for payment {payment.reference}"
    ):
        record(payment, 990, finance, bank_reference=again)
    payment.refresh_from_db()
    assert (payment.captured_amount, BankEntry.objects.count(), live("asset:psp:offline")) == (990, 1, 990)


@pytest.mark.parametrize(("amount", "code", "applied"), [(500, "too_little", False), (1000, "surplus", True)])
def test_too_little_and_too_much_go_the_usual_roads(payment, finance, amount, code, applied):
    assert record(payment, amount, finance).is_applied is applied
    assert [case.code for case in Case.objects.all()] == [code]
    assert live(f"liability:unapplied:{payment.reference}") == (10 if applied else amount)


def test_a_second_transfer_for_one_payment_is_counted_beside_the_first(payment, finance):
    record(payment, 990, finance)
    assert record(payment, 990, finance, bank_reference="B-2").captured == Money(1980, "CNY")
    assert live(f"liability:unapplied:{payment.reference}") == 990
    assert [case.code for case in Case.objects.all()] == ["captured_again"]


def test_money_that_came_in_time_buys_an_order_that_expired_meanwhile(payment, finance, set_clock):
    set_clock(clock.now() + timedelta(days=9))
    orders.expire_due()
    payments.poll_due()
    assert record(payment, 990, finance, days=-3).is_applied


def test_money_that_came_too_late_buys_nothing(payment, finance, set_clock):
    set_clock(clock.now() + timedelta(days=9))
    orders.expire_due()
    assert not record(payment, 990, finance).is_applied
    assert [case.code for case in Case.objects.all()] == ["too_late"]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_day_before_the_payment_or_after_today_is_refused(payment, finance, days):
    with pytest.raises(Invalid, match="from then to today"):
        record(payment, 990, finance, days=days)
    assert not BankEntry.objects.exists()


def test_a_transfer_without_the_banks_reference_is_refused(payment, finance):
    with pytest.raises(Invalid, match="bank’s own reference"):
        record(payment, 990, finance, bank_reference="  ")


def test_only_transfers_are_recorded(order, finance):
    wallet = begin(order, "wallet")
    with pytest.raises(transfers.NotATransfer, match="came by wallet"):
        record(wallet, 990, finance)
    wallet.refresh_from_db()
    assert wallet.status == Payment.Status.PENDING


def test_asking_again_leaves_what_was_recorded(payment, finance):
    record(payment, 990, finance)
    assert payments.refresh(payment).status == Payment.Status.CAPTURED


def test_a_refund_waits_until_somebody_sent_it(reader, offer, payment, finance, set_clock):
    record(payment, 990, finance)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=finance, reason="asked")
    assert (refund.status, access.level(reader, offer.page)) == (Refund.Status.PROCESSING, Level.SIGNED_IN)
    set_clock(clock.now() + timedelta(days=2))
    refunds.retry_due()
    refund.refresh_from_db()
    assert (refund.status, live("asset:psp:offline")) == (Refund.Status.PROCESSING, 990)
    today = localdate(clock.now())
    with pytest.raises(transfers.AlreadyRecorded, match="B-1 was recorded before"):
        transfers.record_refund(refund.pk, booked_on=today, bank_reference="B-1", by=finance)
    sent = transfers.record_refund(refund.pk, booked_on=today, bank_reference="B-9", by=finance)
    assert (sent.status, sent.bank_entry.bank_reference) == (Refund.Status.SUCCEEDED, "B-9")
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert live("asset:psp:offline") == 0
    with pytest.raises(transfers.AlreadyRecorded, match="went back before"):
        transfers.record_refund(refund.pk, booked_on=today, bank_reference="B-10", by=finance)


def test_a_refund_that_waits_for_a_second_person_is_not_sent(payment, finance, settings):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 100}
    record(payment, 990, finance)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=finance)
    today = localdate(clock.now())
    with pytest.raises(WrongStatus, match="not to be sent: waits for a second person"):
        transfers.record_refund(refund.pk, booked_on=today, bank_reference="B-9", by=finance)
    assert BankEntry.objects.count() == 1


def test_a_refund_is_not_sent_before_it_was_asked_for(payment, finance):
    record(payment, 990, finance)
    refund = refunds.refund(payment.pk, Refund.Part.SALE, by=finance)
    yesterday = localdate(clock.now()) - timedelta(days=1)
    with pytest.raises(Invalid, match="was asked for on"):
        transfers.record_refund(refund.pk, booked_on=yesterday, bank_reference="B-9", by=finance)
    assert live("asset:psp:offline") == 990
