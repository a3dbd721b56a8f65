"""The rows of the fault table about money given back, money paid twice over, and what a provider may throw at us."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from django.conf import settings as site
from django.test import Client

from sishu.commerce import access, payments, refunds
from sishu.commerce.models import Order, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import clock, plugins
from sishu.core.money import Money
from sishu.gateways.base import GatewayError, Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.gateways.sandbox import SandboxGateway
from sishu.moderation.models import Case
from sishu.web.webhooks import MAX_NOTICE_BYTES
from tests.commerce.sandbox import in_sandbox
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, pay, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def captured(payment: Payment, *refunded: RefundSnapshot) -> Snapshot:
    return Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), clock.now(), refunds=refunded)


def assert_second_stands_apart(reader, offer, second: Payment) -> None:
    assert Order.objects.get().status == Order.Status.PAID
    assert access.level(reader, offer.page) == Level.PAID
    assert in_sandbox(f"liability:unapplied:{second.reference}") == 990
    assert Case.objects.get().code == "order_closed"


class OtherGateway(SandboxGateway):
    """A second provider of the same house."""

    name = "other"


def test_row_28_paid_at_two_providers_the_second_stands_apart_and_goes_back(reader, offer, payment, settings):
    gateways = {**settings.PLUGINS["gateways"], "other": (f"{__name__}.OtherGateway", {})}
    settings.PLUGINS = {**settings.PLUGINS, "gateways": gateways}
    second, _instruction = payments.start(payment.order_id, "other", notify_url="", return_url="")
    assert second.pk != payment.pk
    for one in (payment, second):
        bank().pay(one.reference)
        payments.refresh(one)
    assert_second_stands_apart(reader, offer, second)
    assert in_sandbox("asset:psp:sandbox") == in_sandbox("asset:psp:other") == 990
    refunds.refund(second.pk, Refund.Part.UNAPPLIED, by=None)
    assert in_sandbox("asset:psp:other") == 0
    assert access.level(reader, offer.page) == Level.PAID


def test_row_29_a_new_attempt_is_paid_and_so_is_the_one_that_had_failed(reader, offer, payment):
    bank().fail(payment.reference)
    payments.refresh(payment)
    again = start(reader, offer)
    assert (again.order_id, again.reference != payment.reference) == (payment.order_id, True)
    pay(again)
    payments.apply(captured(payment))
    assert_second_stands_apart(reader, offer, payment)


def test_row_43_a_refund_whose_answer_is_lost_is_asked_again_under_its_own_name(reader, offer, payment, monkeypatch):
    pay(payment)
    real_refund = SandboxGateway.refund

    def answer_lost(self, request):
        real_refund(self, request)
        raise GatewayError("timed out")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxGateway, "refund", answer_lost)
        asked = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert asked.status == Refund.Status.REQUESTED
    assert refunds.retry_due() == 0
    later = clock.now() + refunds.RETRY_AFTER[0]
    monkeypatch.setattr(clock, "now", lambda: later)
    assert refunds.retry_due() == 1
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert bank().refunds(payment.reference) == [(asked.reference, 990)]
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0


def test_row_44_a_refund_that_is_refused_leaves_books_and_access_and_opens_a_case(reader, offer, payment):
    pay(payment)
    asked = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    payments.apply(captured(payment, RefundSnapshot(asked.reference, RefundOutcome.FAILED, asked.money)))
    asked.refresh_from_db()
    assert asked.status == Refund.Status.FAILED
    assert Case.objects.get().kind == "refund_failed"
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 990
    assert access.level(reader, offer.page) == Level.PAID
    again = refunds.refund(payment.pk, Refund.Part.SALE, by=None)
    assert (again.reference, again.status) == (asked.reference, Refund.Status.SUCCEEDED)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0


def told_of(payment: Payment, *refunded: RefundSnapshot) -> Refund:
    payments.apply(captured(payment, *refunded))
    return Refund.objects.get()


def test_row_44_45_a_refund_of_the_console_in_place_of_one_that_failed_may_be_sent_back_too(reader, offer, payment):
    pay(payment)
    asked = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    failed = RefundSnapshot(asked.reference, RefundOutcome.RETURNED, asked.money, attempt=0)
    told_of(payment, failed)
    by_hand = RefundSnapshot("re_console", RefundOutcome.SUCCEEDED, asked.money, attempt=0)
    one = told_of(payment, failed, by_hand)
    assert (one.pk, one.reference, one.status) == (asked.pk, "re_console", Refund.Status.SUCCEEDED)
    for _ in range(2):
        one = told_of(payment, failed, replace(by_hand, outcome=RefundOutcome.RETURNED))
    assert one.status == Refund.Status.FAILED
    assert access.level(reader, offer.page) == Level.PAID
    assert in_sandbox("asset:psp:sandbox") == 990


@pytest.mark.parametrize("outcome", [RefundOutcome.SUCCEEDED, RefundOutcome.PENDING])
def test_row_44_what_was_said_before_a_refund_was_sent_back_changes_nothing_after(reader, offer, payment, outcome):
    pay(payment)
    asked = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    went = RefundSnapshot(asked.reference, RefundOutcome.SUCCEEDED, asked.money, attempt=0)
    told_of(payment, went)
    told_of(payment, replace(went, outcome=RefundOutcome.RETURNED))
    assert told_of(payment, replace(went, outcome=outcome)).status == Refund.Status.FAILED
    again = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    assert told_of(payment, replace(went, outcome=outcome)).status == Refund.Status.REQUESTED
    assert (again.pk, again.failure_count) == (asked.pk, 1)
    assert access.level(reader, offer.page) == Level.PAID
    assert in_sandbox("asset:psp:sandbox") == 990
    assert told_of(payment, replace(went, attempt=1)).status == Refund.Status.SUCCEEDED


@pytest.mark.parametrize("is_rejected", [False, True])
def test_row_44_a_refund_that_the_provider_carries_out_after_all_went_back_whatever_people_say(
    reader, offer, payment, settings, is_rejected
):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 1}
    pay(payment)
    asked = refunds.request(payment.pk, Refund.Part.SALE, by=None)
    payments.apply(captured(payment, RefundSnapshot(asked.reference, RefundOutcome.FAILED, asked.money)))
    again = refunds.refund(payment.pk, Refund.Part.SALE, by=make_user("mei", "finance"))
    assert (again.pk, again.status) == (asked.pk, Refund.Status.PROPOSED)
    payments.apply(captured(payment, RefundSnapshot(asked.reference, RefundOutcome.FAILED, asked.money)))
    if is_rejected:
        refunds.reject(again.pk, by=make_user("bo", "finance"), reason="not now")
    bank().refund(reference=asked.reference, charge=payment.reference, amount=990)
    payments.refresh(payment)
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert not Case.objects.filter(kind="refund_proposed", status=Case.Status.OPEN).exists()
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0


def test_row_70_a_body_no_provider_sends_is_refused_unread(payment):
    body = b"x" * (MAX_NOTICE_BYTES + 1)
    assert Client().post("/webhooks/sandbox", body, content_type="application/json").status_code == 413
    assert not Case.objects.exists()


def test_row_71_neither_key_nor_notice_stands_in_the_log(payment, caplog):
    caplog.set_level(logging.DEBUG)
    gateway = plugins.load("gateways", "sandbox")
    bank().pay(payment.reference)
    said = json.loads(gateway.notice(1, payment.reference)) | {"buyer": "openid-4711"}
    right, odd = json.dumps(said).encode(), json.dumps({"buyer": "openid-4711"}).encode()
    signatures = []
    for body, status, changes in ((right, 200, {}), (odd, 400, {}), (right, 400, {"Sandbox-Signature": "f" * 64})):
        headers = gateway.signed(body) | changes
        signatures.append(headers["Sandbox-Signature"])
        answer = Client().post("/webhooks/sandbox", body, content_type="application/json", headers=headers)
        assert answer.status_code == status
    assert "Refused a notice" in caplog.text
    assert not [word for word in (site.SANDBOX_SECRET, "openid-4711", *signatures) if word in caplog.text]
