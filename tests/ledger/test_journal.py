"""Posting, reversing, closing; what the interface promises."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from sishu.ledger import chart, check, journal
from sishu.ledger.journal import AlreadyPosted, Move, NotEnough, PeriodClosed
from sishu.ledger.models import Account, Balance, Book, Journal, Transfer
from sishu.ledger.selectors import balance, statement

pytestmark = [pytest.mark.django_db, pytest.mark.money]


def post_sale(key: str = "sale:p1", gross: int = 990, book: Book = Book.LIVE, currency: str = "CNY") -> Journal:
    with transaction.atomic():
        return journal.post(
            key=key, kind="sale", ref="order:1", book=book, currency=currency,
            moves=[
                Move(chart.provider("sandbox"), chart.CLEARING, gross, "capture"),
                Move(chart.CLEARING, chart.PLATFORM_INCOME, gross // 10, "platform"),
                Move(chart.CLEARING, chart.creator_pending(7), gross - gross // 10, "creator"),
            ],
        )  # fmt: skip


def test_a_sale_gives_each_account_its_part():
    post_sale()
    assert balance("asset:psp:sandbox") == 990
    assert balance("income:platform") == 99
    assert balance("liability:creator:7:pending") == 891
    assert balance("liability:clearing") == 0
    assert list(check.faults()) == []


def test_a_business_fact_is_posted_once():
    post_sale()
    with pytest.raises(AlreadyPosted), transaction.atomic():
        post_sale()
    assert Transfer.objects.count() == 3


def test_a_reversal_mirrors_and_happens_once():
    sale = post_sale()
    with transaction.atomic():
        journal.reverse(sale, key="refund:r1", kind="refund")
    assert balance("asset:psp:sandbox") == balance("liability:creator:7:pending") == balance("income:platform") == 0
    with pytest.raises(AlreadyPosted), transaction.atomic():
        journal.reverse(sale, key="refund:r2", kind="refund")
    assert list(check.faults()) == []


def test_books_and_currencies_have_accounts_of_their_own():
    post_sale("sale:live")
    post_sale("sale:play", book=Book.SANDBOX)
    post_sale("sale:usd", currency="USD")
    assert Account.objects.filter(code="income:platform").count() == 3
    assert balance("income:platform", book=Book.SANDBOX) == balance("income:platform", currency="USD") == 99


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [(0, ValueError), (-1, ValueError), (9.9, TypeError), (Decimal(9), TypeError), ("9", TypeError),
     (True, TypeError), (10**18, ValueError)],
)  # fmt: skip
def test_amounts_are_positive_ints_of_minor_units(amount, refusal):
    with pytest.raises(refusal), transaction.atomic():
        journal.post(
            key="k", kind="sale", ref="order:1", book=Book.LIVE, currency="CNY",
            moves=[Move("asset:psp:sandbox", "liability:clearing", amount, "capture")],
        )  # fmt: skip
    assert not Journal.objects.exists()


def test_a_purse_is_spent_down_to_its_floor_and_not_below():
    purse = chart.purse("reader-1")
    with transaction.atomic():
        journal.post(
            key="topup", kind="topup", ref="order:1", book=Book.LIVE, currency="CNY",
            moves=[Move(chart.provider("sandbox"), purse, 500, "topup")],
        )  # fmt: skip
    spend = {"kind": "spend", "ref": "order:2", "book": Book.LIVE, "currency": "CNY"}
    with transaction.atomic():
        journal.post(key="spend1", moves=[Move(purse, chart.PLATFORM_INCOME, 500, "spend")], **spend)
    with pytest.raises(NotEnough), transaction.atomic():
        journal.post(key="spend2", moves=[Move(purse, chart.PLATFORM_INCOME, 1, "spend")], **spend)
    assert Balance.objects.get().posted == balance(purse) == 0
    assert list(check.faults()) == []


def test_a_closed_month_takes_no_more(set_clock):
    set_clock(datetime(2026, 10, 31, 12, tzinfo=UTC))
    post_sale("sale:october")
    with pytest.raises(PeriodClosed):
        journal.close_period("2026-10", actor="finance")
    set_clock(datetime(2026, 11, 2, tzinfo=UTC))
    journal.close_period("2026-10", actor="finance")
    post_sale("sale:november")
    with pytest.raises(PeriodClosed):
        journal.close_period("2026-10", actor="finance")
    assert list(check.faults()) == []


def test_the_statement_runs_like_the_balance():
    sale = post_sale("sale:1")
    post_sale("sale:2", gross=100)
    with transaction.atomic():
        journal.reverse(sale, key="refund:1", kind="refund")
    rows = list(statement("liability:creator:7:pending", book=Book.LIVE, currency="CNY"))
    assert [(row.amount, row.running) for row in rows] == [(891, 891), (90, 981), (-891, 90)]
    assert rows[-1].running == balance("liability:creator:7:pending")


def test_posting_outside_a_transaction_is_a_mistake_of_the_caller(transactional_db):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        journal.post(
            key="k", kind="sale", ref="order:1", book=Book.LIVE, currency="CNY",
            moves=[Move("asset:psp:sandbox", "liability:clearing", 1, "capture")],
        )  # fmt: skip
