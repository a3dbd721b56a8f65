"""What providers write is kept as it came, sealed, counted and bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from sishu.commerce import notices, payments
from sishu.commerce.models import Payment, ReceivedNotice
from sishu.core import clock, crypto
from sishu.web.webhooks import MAX_FORGERIES
from tests.commerce.sandbox import assert_paid_once, notify
from tests.factories.commerce import bank

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def test_a_notice_is_kept_once_and_counted(reader, offer, payment, gateway):
    bank().pay(payment.reference)
    for _ in range(3):
        assert notify(payment).status_code == 200
    kept = ReceivedNotice.objects.get()
    assert (kept.gateway, kept.reference, kept.count) == ("sandbox", payment.reference, 3)
    assert kept.applied_at is not None
    headers, body = notices.read(kept)
    assert body == gateway.notice(1, payment.reference)
    assert "Sandbox-Signature" in headers
    assert "Cookie" not in headers
    assert_paid_once(reader, offer)


def test_its_words_are_noise_in_the_database_and_go_with_the_buyers_key(reader, payment):
    bank().pay(payment.reference)
    notify(payment)
    kept = ReceivedNotice.objects.get()
    assert payment.reference.encode() not in bytes(kept.sealed)
    crypto.shred(f"user:{reader.pk}")
    with pytest.raises(crypto.SubjectKeyMissing):
        notices.read(kept)


def test_row_07_a_genuine_notice_of_a_stranger_is_kept_for_the_person_who_looks(payment):
    bank().pay(payment.reference)
    Payment.objects.update(reference="of-another-house")
    assert notify(payment).status_code == 404
    kept = ReceivedNotice.objects.get()
    assert (kept.reference, kept.applied_at, kept.subject) == (payment.reference, None, "house")


def test_row_70_whoever_forges_again_and_again_is_not_listened_to_for_a_while(payment):
    bank().pay(payment.reference)
    for _ in range(MAX_FORGERIES):
        assert notify(payment, headers={"Sandbox-Signature": "0" * 64}).status_code == 400
    assert notify(payment).status_code == 429
    assert not ReceivedNotice.objects.exists(), "what is not believed is not kept"
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/webhooks/sandbox", b"{}", content_type="application/json").status_code == 400


def test_old_ones_are_forgotten(settings, payment):
    bank().pay(payment.reference)
    notify(payment)
    assert notices.prune() == 0
    ReceivedNotice.objects.update(received_at=clock.now() - timedelta(days=settings.NOTICE_DAYS, seconds=1))
    assert notices.prune() == 1


def test_row_69_a_key_of_play_money_settles_no_payment_of_real_money(payment):
    Payment.objects.filter(pk=payment.pk).update(book="live")  # begun before the keys were changed
    bank().pay(payment.reference)
    assert notify(payment).status_code == 404
    payments.refresh(Payment.objects.get())
    assert Payment.objects.get().status == Payment.Status.PENDING
