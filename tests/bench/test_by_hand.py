"""The rows that `make bench` writes by hand fit the tables as they are."""

from __future__ import annotations

import pytest
from django.db import connection

from bench.inside import by_hand
from sishu.commerce.models import Order, Payment, ReceivedNotice
from sishu.ledger.models import Account, Transfer
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor == "mysql", reason="`make bench` runs on SQLite and PostgreSQL")
def test_an_order_and_its_notice_can_still_be_written_by_hand():
    offer, reader = make_offer(amount=990), make_user("reader")
    buy(make_user("other"), offer)  # opens the accounts
    accounts = list(Account.objects.order_by("id").values_list("id", flat=True))
    before = Transfer.objects.count()
    with connection.cursor() as cursor:
        by_hand.order_and_notice_of(cursor, reader.pk, offer.pk, accounts)
    payment = Payment.objects.get(order__user=reader)
    assert (payment.order.status, payment.status) == (Order.Status.PAID, Payment.Status.CAPTURED)
    assert Transfer.objects.count() == before + 3
    assert ReceivedNotice.objects.get(reference=payment.reference).applied_at


def test_pgbench_is_given_the_same_statements():
    script = by_hand.pgbench_script(7, [1, 2, 3, 4], range(10, 20))
    assert "%(" not in script
    assert script.count("INSERT INTO") == sum(s.startswith("INSERT") for s in by_hand.ORDER + by_hand.NOTICE)
    assert r"random(10, 19)" in script
