"""The fault table of a purchase, row by row. After each the books agree and access is open exactly to who paid."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from sishu.commerce import access, offers, orders, payments, refunds
from sishu.commerce.models import Offer, Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock, plugins
from sishu.core.errors import DomainError, Missing
from sishu.core.models import WrongStatus
from sishu.gateways.base import GatewayError, Outcome, Snapshot
from sishu.ledger import triggers
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.moderation.models import Case
from sishu.outbox.models import Fact
from tests.commerce.sandbox import assert_bought_nothing, assert_paid_once, in_sandbox, notify
from tests.factories.commerce import bank, buy, make_offer, pay, start
from tests.factories.content import make_article, make_house, paywall, prose

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def test_row_01_the_same_notice_ten_times(reader, offer, payment):
    bank().pay(payment.reference)
    answers = [notify(payment) for _ in range(10)]
    assert [(a.status_code, a.content) for a in answers] == [(200, b"success")] * 10
    assert_paid_once(reader, offer)


def test_row_03_notice_before_the_browser_returns(reader, offer, payment):
    bank().pay(payment.reference)
    notify(payment)
    payments.refresh(payment)
    assert_paid_once(reader, offer)


def test_row_04_browser_returns_before_the_notice(reader, offer, payment):
    bank().pay(payment.reference)
    payments.refresh(payment)
    assert_paid_once(reader, offer)
    assert notify(payment).status_code == 200
    assert_paid_once(reader, offer)


def test_row_05_the_notice_never_comes_and_the_poller_finds_the_money(reader, offer, payment, monkeypatch):
    bank().pay(payment.reference)
    assert payments.poll_due() == 0
    started = payment.created_at
    monkeypatch.setattr(clock, "now", lambda: started + payments.POLL_AFTER[0])
    assert payments.poll_due() == 1
    assert payments.poll_due() == 0
    assert_paid_once(reader, offer)


def test_row_05_polling_follows_its_schedule_and_then_gives_up(reader, offer, payment, monkeypatch):
    started = payment.created_at
    for after in payments.POLL_AFTER:
        monkeypatch.setattr(clock, "now", lambda after=after: started + after)
        assert payments.poll_due() == 1
        assert payments.poll_due() == 0
    payment.refresh_from_db()
    assert payment.status == Payment.Status.CLOSED
    assert bank().find(payment.reference).outcome == "closed"


def test_row_05_a_provider_that_is_silent_at_the_last_question_is_asked_every_day(reader, offer, payment, monkeypatch):
    def silent(self, reference, provider_reference=""):
        raise GatewayError("timed out")

    last = payment.created_at + payments.POLL_AFTER[-1]
    monkeypatch.setattr(clock, "now", lambda: last)
    with monkeypatch.context() as broken:
        for question in ("query", "close"):
            broken.setattr(type(plugins.load("gateways", "sandbox")), question, silent)
        assert [payments.poll_due() for _ in range(len(payments.POLL_AFTER) + 1)] == [1] * len(payments.POLL_AFTER) + [
            0
        ]
    bank().pay(payment.reference, at=payment.created_at)
    monkeypatch.setattr(clock, "now", lambda: last + timedelta(days=1))
    assert payments.poll_due() == 1
    assert_paid_once(reader, offer)


def test_row_06_notice_while_the_create_call_has_not_returned(reader, offer, monkeypatch):
    real_start = type(plugins.load("gateways", "sandbox")).start

    def paid_before_the_answer(self, request):
        instruction = real_start(self, request)
        self.bank.pay(request.reference)
        assert notify(Payment.objects.get(reference=request.reference)).status_code == 200
        return instruction

    monkeypatch.setattr(type(plugins.load("gateways", "sandbox")), "start", paid_before_the_answer)
    start(reader, offer)
    assert_paid_once(reader, offer)


def test_row_07_notice_for_a_payment_we_never_asked_for(gateway):
    bank().open_charge(
        reference="stranger0001", amount=5, currency="CNY", title="?", notify_url="", return_url="",
        expires_at=clock.now(),
    )  # fmt: skip
    bank().pay("stranger0001")
    body = gateway.notice(1, "stranger0001")
    answer = Client().post("/webhooks/sandbox", body, content_type="application/json", headers=gateway.signed(body))
    assert answer.status_code == 404
    assert Case.objects.get().kind == "unknown_payment"
    assert not Journal.objects.exists()


def test_a_gateways_word_settles_no_other_gateways_payment(reader, offer, payment):
    Payment.objects.filter(pk=payment.pk).update(gateway="elsewhere")
    bank().pay(payment.reference)
    assert notify(payment).status_code == 404
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PENDING
    assert not Journal.objects.exists()


@pytest.mark.parametrize("forgery", ["none", "another key", "changed body", "old", "future", "empty"])
def test_row_08_14_a_forged_notice_changes_nothing_and_learns_nothing(
    reader, offer, payment, gateway, forgery, monkeypatch
):
    bank().pay(payment.reference)
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)  # a second beyond the window, however slow the machine
    body = gateway.notice(1, payment.reference)
    headers = gateway.signed(body)
    if forgery == "none":
        headers.pop("Sandbox-Signature")
    elif forgery == "another key":
        headers["Sandbox-Signature"] = "0" * 64
    elif forgery == "changed body":
        body = body.replace(b"990", b"999")
    elif forgery in {"old", "future"}:
        shift = timedelta(seconds=-301 if forgery == "old" else 301)
        headers = gateway.signed(body, at=clock.now() + shift)
    else:
        body = b""
    answer = notify(payment, body=body, headers=headers)
    assert (answer.status_code, answer.content) == (400, b"refused")
    assert_bought_nothing(reader, offer)
    assert notify(payment).status_code == 200
    assert_paid_once(reader, offer)


def test_row_09_a_genuine_notice_for_another_merchant(reader, offer, payment, gateway):
    bank().pay(payment.reference)
    said = json.loads(gateway.notice(1, payment.reference))
    body = json.dumps({**said, "merchant": "somebody-else"}).encode()
    assert notify(payment, body=body, headers=gateway.signed(body)).status_code == 400
    assert_bought_nothing(reader, offer)


def test_row_10_less_than_the_price_is_booked_and_opens_nothing(reader, offer, payment):
    bank().pay(payment.reference, amount=1)
    assert notify(payment).status_code == 200
    assert_bought_nothing(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == in_sandbox("asset:psp:sandbox") == 1
    assert Case.objects.get().kind == "unapplied"
    # A second, whole payment of the same order is a new attempt and buys.
    pay(start(reader, offer))
    assert access.level(reader, offer.page) == Level.PAID


def test_row_11_more_than_the_price_buys_and_the_rest_stands_apart(reader, offer, payment):
    bank().pay(payment.reference, amount=1000)
    notify(payment)
    assert_paid_once(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 10
    assert in_sandbox("asset:psp:sandbox") == 1000
    assert Case.objects.get().kind == "unapplied"


def test_row_11_pay_twice_at_the_cashier(reader, offer, payment):
    bank().pay(payment.reference, times=2)
    notify(payment, number=1)
    notify(payment, number=2)
    assert_paid_once(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990


def test_row_11_money_that_comes_a_second_time_later(reader, offer, payment):
    pay(payment)
    twice = Snapshot(
        payment.reference, Outcome.CAPTURED, Payment(captured_amount=1980, currency="CNY").captured, clock.now()
    )
    for _ in range(3):
        payments.apply(twice)
    assert_paid_once(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990


def test_row_12_another_currency_buys_nothing(reader, offer, payment):
    dollars = Payment(captured_amount=99_000, currency="USD").captured
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, dollars, clock.now()))
    assert_bought_nothing(reader, offer)
    assert balance(f"liability:unapplied:{payment.reference}", book=Book.SANDBOX, currency="USD") == 99_000


def test_row_13_an_old_notice_replayed_after_the_refund(reader, offer, payment, gateway):
    bank().pay(payment.reference)
    old = gateway.notice(1, payment.reference)
    notify(payment, body=old, headers=gateway.signed(old))
    refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert notify(payment, body=old, headers=gateway.signed(old)).status_code == 200
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0


def test_row_22_failed_after_captured_changes_nothing(reader, offer, payment):
    pay(payment)
    payments.apply(Snapshot(payment.reference, Outcome.FAILED))
    payments.apply(Snapshot(payment.reference, Outcome.CLOSED))
    assert_paid_once(reader, offer)


def test_row_22_the_refund_is_heard_of_before_the_capture(reader, offer, payment):
    """The first we hear is a notice that says captured and refunded: both are true, in that order."""
    bank().pay(payment.reference)
    payments.refresh(payment)
    refund = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    bank().refund(reference=refund.reference, charge=payment.reference, amount=990)
    notify(payment)
    refund.refresh_from_db()
    assert refund.status == Refund.Status.SUCCEEDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0


def test_row_23_the_create_call_times_out_but_the_provider_did_create(reader, offer, monkeypatch):
    sandbox = type(plugins.load("gateways", "sandbox"))
    real_start = sandbox.start

    def answer_lost(self, request):
        real_start(self, request)
        raise GatewayError("timed out")

    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "start", answer_lost)
        with pytest.raises(payments.ProviderSilent):
            start(reader, offer)
    first = Payment.objects.get()
    assert bank().find(first.reference).amount == 990
    again = start(reader, offer)
    assert again.reference == first.reference
    pay(again)
    assert_paid_once(reader, offer)


def test_row_24_crash_after_the_provider_took_the_money(reader, offer, payment, monkeypatch):
    bank().pay(payment.reference)
    monkeypatch.setattr(clock, "now", lambda: payment.created_at + payments.POLL_AFTER[0])
    assert payments.poll_due() == 1  # what the restarted worker does first
    assert_paid_once(reader, offer)


def test_row_25_crash_after_commit_before_the_answer(reader, offer, payment, gateway):
    bank().pay(payment.reference)
    payments.apply(gateway.parse_notice(gateway.signed(body := gateway.notice(1, payment.reference)), body).snapshot)
    assert notify(payment).status_code == 200
    assert_paid_once(reader, offer)


def test_row_27_double_click_and_two_tabs_share_one_order_and_one_payment(reader, offer):
    first, second = start(reader, offer), start(reader, offer)
    assert first.pk == second.pk
    assert Order.objects.count() == Payment.objects.count() == 1
    pay(first)
    assert_paid_once(reader, offer)
    with pytest.raises(orders.AlreadyOwned):
        start(reader, offer)


def test_row_30_money_taken_after_the_order_expired_waits_for_a_person(reader, offer, payment):
    bank().pay(payment.reference, at=payment.order.expires_at + timedelta(seconds=1))
    notify(payment)
    assert_bought_nothing(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990
    assert Case.objects.get().code == "too_late"


def test_row_30_money_taken_in_time_buys_though_the_notice_is_late(reader, offer, payment, monkeypatch):
    bank().pay(payment.reference)
    late = payment.order.expires_at + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert orders.expire_due() == 1
    payments.refresh(payment)
    assert Order.objects.get().status == Order.Status.PAID
    assert_paid_once(reader, offer)


def test_row_31_closing_races_with_paying_and_the_provider_is_right(reader, offer, payment):
    bank().pay(payment.reference)
    payments.give_up(payment)
    assert_paid_once(reader, offer)


def test_row_31_32_a_closed_payment_that_was_paid_after_all(reader, offer, payment):
    payments.apply(Snapshot(payment.reference, Outcome.CLOSED))
    bank().pay(payment.reference)
    notify(payment)
    assert_paid_once(reader, offer)


def test_row_37_a_price_changed_in_another_tab_is_honoured_once_payment_has_begun(reader, offer, payment):
    Offer.objects.filter(pk=offer.pk).update(amount=1990)
    assert start(reader, offer).pk == payment.pk
    pay(payment)
    assert Order.objects.get().amount == 990


def test_row_37_an_order_nobody_began_to_pay_takes_the_new_price(reader, offer):
    before = orders.place(reader, offer.pk, language="en")
    Offer.objects.filter(pk=offer.pk).update(amount=500)
    after = orders.place(reader, offer.pk, language="en")
    before.refresh_from_db()
    assert (before.status, after.amount) == (Order.Status.CANCELLED, 500)


def test_row_38_a_price_of_zero_needs_no_gateway(reader):
    free = make_offer(amount=0)
    order = buy(reader, free)
    assert order.status == Order.Status.PAID
    assert access.level(reader, free.page) == Level.PAID
    assert not Payment.objects.exists()
    assert not Journal.objects.exists()
    assert Fact.objects.filter(name="OrderPaid").count() == 1


def test_row_64_a_commit_that_fails_is_answered_5xx_and_nothing_is_half_written(
    transactional_db, reader, offer, payment
):
    bank().pay(payment.reference)
    full = ("disk_is_full", "commerce_entitlement", "INSERT", "no space left", "1 = 1")
    with connection.cursor() as cursor:
        for statement in triggers._DIALECTS[connection.vendor](*full):
            cursor.execute(statement)
    try:
        assert notify(payment).status_code == 500
        assert_bought_nothing(reader, offer)
        payment.refresh_from_db()
        assert payment.status == Payment.Status.PENDING
    finally:
        with connection.cursor() as cursor:
            on = " ON commerce_entitlement" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER disk_is_full{on}")
    assert notify(payment).status_code == 200
    assert_paid_once(reader, offer)


def second_order(reader, offer) -> Payment:
    """Another order for the same work, begun after its price was taken off and set anew."""
    offers.close(offer.page)
    return start(reader, make_offer(offer.page))


def test_row_28_the_same_work_paid_by_two_orders_is_sold_once(reader, offer, payment):
    again = second_order(reader, offer)
    pay(again)
    pay(payment)
    late = Payment.objects.get(pk=payment.pk)
    assert (late.status, late.is_applied) == (Payment.Status.CAPTURED, False)
    assert Order.objects.get(pk=payment.order_id).status == Order.Status.CANCELLED
    assert Case.objects.get(kind="unapplied").code == "already_owned"
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990
    assert_paid_once(reader, offer)
    refunds.refund(late.pk, Refund.Part.UNAPPLIED, by=None)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 990
    assert_paid_once(reader, offer)


def test_a_work_given_back_can_be_bought_anew(reader, offer, payment):
    again = second_order(reader, offer)
    pay(again)
    refunds.refund(again.pk, Refund.Part.SALE, by=None)
    assert Payment.objects.get(pk=pay(payment).pk).is_applied


def test_a_payment_that_holds_nothing_gives_nothing_back(reader, offer, payment):
    with pytest.raises(refunds.NothingToRefund):
        refunds.refund(payment.pk, Refund.Part.SALE, by=None)


def test_an_order_that_ended_cannot_be_paid_again(reader, offer, payment):
    orders.cancel(payment.order_id, reader)
    with pytest.raises(WrongStatus):
        payments.start(payment.order_id, "sandbox", notify_url="", return_url="")
    bank().pay(payment.reference)
    notify(payment)
    assert_bought_nothing(reader, offer)
    assert in_sandbox(f"liability:unapplied:{payment.reference}") == 990


def test_a_free_work_is_not_sold_because_its_translation_will_cost(reader):
    make_house()
    free = make_article()
    closed = [prose("Open."), paywall("PAID"), prose("Closed.")]
    draft = make_article(free.owner, live=False, locale="en", body=closed, translation_key=free.translation_key)
    offer = make_offer(draft)
    with pytest.raises(Missing):
        orders.place(reader, offer.pk, language="en")


def test_what_is_not_on_sale_cannot_be_ordered(reader, offer):
    Offer.objects.filter(pk=offer.pk).update(is_open=False, open_key=None)
    with pytest.raises(DomainError):
        orders.place(reader, offer.pk, language="en")
