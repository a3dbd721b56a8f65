"""Providers' notices in the back office."""

from __future__ import annotations

import pytest
from django.urls import reverse

from sishu.commerce.models import ReceivedNotice
from sishu.core import crypto
from tests.commerce.sandbox import notify
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, make_offer, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def test_finance_reads_what_it_said_until_the_buyer_is_erased(client):
    buyer = make_user()
    payment = start(buyer, make_offer(amount=990))
    bank().pay(payment.reference)
    notify(payment)
    client.force_login(make_user("cashier", "finance"))
    assert payment.reference in client.get(reverse("notices:index")).content.decode()
    url = reverse("notices:inspect", args=[ReceivedNotice.objects.get().pk])
    assert "&quot;captured&quot;: 990" in client.get(url).content.decode()
    crypto.shred(f"user:{buyer.pk}")
    assert "cannot be read any more" in client.get(url).content.decode()
