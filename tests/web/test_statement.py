"""The creator's statement: every sale, equal to the ledger to the cent, and nobody else's."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from sishu.accounts.models import User
from sishu.commerce import refunds
from sishu.commerce.models import Refund
from sishu.commerce.splits import of_sale
from sishu.core import clock
from sishu.core.money import Money
from sishu.ledger import chart, journal
from sishu.ledger.models import Book
from sishu.ledger.selectors import balance
from sishu.web import spreadsheets
from sishu.web.statement import month_of, statements_of
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, make_paid_work, make_plan
from tests.factories.content import make_creator

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lan(client: Client) -> User:
    lan = make_creator("lan")
    client.force_login(lan)
    return lan


def file_of(client: Client, **query: str) -> list[dict[str, str]]:
    answer = client.get(reverse("statement_csv"), query)
    content = b"".join(answer.streaming_content)
    assert content.startswith("\ufeff".encode())
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))


def page_of(client: Client, **query: str) -> str:
    answer = client.get(reverse("statement"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_sale_has_a_line_and_the_balance_runs(client, lan):
    work = make_paid_work(lan, title="Noodles")
    first = buy(make_user(), make_offer(work, amount=990))
    second = buy(make_user(), make_offer(make_paid_work(lan, title="Soup"), amount=1))
    rows = file_of(client)
    assert [(r["Title"], r["Order number"], r["Buyer paid"], r["Your part"], r["Balance after"]) for r in rows] == [
        ("Noodles", first.number, "9.90", "8.91", "8.91"),
        ("Soup", second.number, "0.01", "0.01", "8.92"),
    ]
    page = page_of(client)
    for shown in ("Noodles", first.number, "¥9.90", "¥8.91", "¥8.92", "The books agree"):
        assert shown in page


def test_a_refund_is_a_negative_line_and_the_sale_stays(client, lan):
    order = buy(make_user(), make_offer(make_paid_work(lan, title="Noodles"), amount=990))
    refunds.refund(order.payments.get().pk, Refund.Part.SALE, by=None)
    rows = file_of(client)
    assert [(r["What"], r["Buyer paid"], r["Your part"], r["Balance after"]) for r in rows] == [
        ("Sale", "9.90", "8.91", "8.91"),
        ("Refunded sale", "-9.90", "-8.91", "0.00"),
    ]
    assert "Refund: Noodles" in page_of(client)


def test_a_share_of_a_plan_shows_the_whole_price_and_the_own_part(client, lan):
    other = make_creator("qi")
    buy(make_user(), make_plan(amount=3000, shares={lan.pk: 3333, other.pk: 3333}))
    rows = file_of(client)
    assert [(r["Buyer paid"], r["Your part"]) for r in rows] == [("30.00", "10.00")]


def test_play_money_is_called_so(client, lan):
    buy(make_user(), make_offer(make_paid_work(lan)))
    assert "Play money" in page_of(client)
    assert {r["Book"] for r in file_of(client)} == {str(Book.SANDBOX.label)}


def sell_for_real(creator: User, amount: int, currency: str = "CNY", number: int = 1) -> None:
    with transaction.atomic():
        journal.post(
            key=f"sale:real{number}", kind="sale", ref="elsewhere:1", book=Book.LIVE, currency=currency,
            moves=of_sale("alipay", amount, [(amount, [[creator.pk, 9000]])]),
        )  # fmt: skip


def test_real_money_comes_first_and_books_never_mix(client, lan):
    buy(make_user(), make_offer(make_paid_work(lan), amount=990))
    sell_for_real(lan, 500)
    page = page_of(client)
    assert "Real money" in page
    assert "These are sales of the sandbox" not in page
    assert [r["Your part"] for r in file_of(client)] == ["4.50"]
    assert [r["Your part"] for r in file_of(client, book="sandbox")] == ["8.91"]
    assert "These are sales of the sandbox" in page_of(client, book="sandbox")


def test_each_currency_has_its_own_sums(client, lan):
    sell_for_real(lan, 1000, "CNY", 1)
    sell_for_real(lan, 2000, "USD", 2)
    sell_for_real(lan, 30, "JPY", 3)
    page = page_of(client)
    for shown in ("Sales in CNY", "Sales in USD", "$18.00", "JP¥27"):
        assert shown in page
    assert {r["Currency"]: r["Your part"] for r in file_of(client)} == {"CNY": "9.00", "USD": "18.00", "JPY": "27"}


@pytest.mark.parametrize("amounts", [[2, 3, 5], [1, 33, 990, 12345], [7] * 5])
def test_the_statement_equals_the_ledger_to_the_cent(lan, amounts):
    offer = make_offer(make_paid_work(lan), shares={lan.pk: 3333, make_creator().pk: 3333})
    for amount in amounts:
        type(offer).objects.filter(pk=offer.pk).update(amount=amount)
        buy(make_user(), offer)
    (statement,) = statements_of(lan, Book.SANDBOX)
    held = balance(chart.creator_pending(lan.pk), book=Book.SANDBOX)
    assert statement.agrees
    assert statement.balance == Money(held, "CNY")
    assert sum(entry.part.amount for entry in statement.entries) == held


def test_a_month_shows_its_own_rows_with_the_balance_of_all(client, lan, set_clock):
    offer = make_offer(make_paid_work(lan), amount=1000)
    early = clock.now() - timedelta(days=70)
    set_clock(early)
    buy(make_user(), offer)
    set_clock(None)
    buy(make_user(), offer)
    assert [r["Balance after"] for r in file_of(client)] == ["9.00", "18.00"]
    assert [r["Balance after"] for r in file_of(client, month=month_of(early))] == ["9.00"]
    assert [r["Balance after"] for r in file_of(client, month=month_of(clock.now()))] == ["18.00"]
    assert file_of(client, month="2001-01") == []
    assert "Nothing was sold in this month." in page_of(client, month="2001-01")
    assert page_of(client, month="nonsense") == page_of(client)


def test_nobody_reads_anothers_statement(client, lan):
    buy(make_user(), make_offer(make_paid_work(lan, title="Noodles")))
    client.force_login(make_creator("qi"))
    assert client.get(reverse("statement"), {"creator": "lan"}).status_code == 404
    assert client.get(reverse("statement_csv"), {"creator": "lan"}).status_code == 404
    assert client.get(reverse("statement"), {"creator": "no-such-person"}).status_code == 404
    assert "Noodles" not in page_of(client)


@pytest.mark.parametrize("role", ["owner", "finance"])
def test_who_keeps_the_books_reads_everyones(client, lan, role):
    buy(make_user(), make_offer(make_paid_work(lan, title="Noodles")))
    client.force_login(make_user("keeper", role))
    assert "Noodles" in page_of(client, creator="lan")
    assert file_of(client, creator="lan")[0]["Title"] == "Noodles"
    assert client.get(reverse("statement"), {"creator": "no-such-person"}).status_code == 404


@pytest.mark.parametrize("role", ["reviewer", "support", "creator", "member"])
def test_other_roles_do_not(client, lan, role):
    client.force_login(make_user("other", role))
    assert client.get(reverse("statement"), {"creator": "lan"}).status_code == 404


def test_a_stranger_is_asked_to_sign_in():
    for name in ("statement", "statement_csv"):
        answer = Client().get(reverse(name))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login")


def test_who_sold_nothing_reads_so(client):
    client.force_login(make_user())
    assert "No sales yet" in page_of(client)
    assert file_of(client) == []


def test_no_cache_keeps_it(client, lan):
    for name in ("statement", "statement_csv"):
        assert "no-store" in client.get(reverse(name))["Cache-Control"]


def test_titles_are_inert_in_the_page_and_in_the_file(client, lan):
    buy(make_user(), make_offer(make_paid_work(lan, title="=HYPERLINK(1)")))
    buy(make_user(), make_offer(make_paid_work(lan, title="<script>alert(1)</script>")))
    assert file_of(client)[0]["Title"] == "'=HYPERLINK(1)"
    assert "<script>alert(1)" not in page_of(client)


@given(st.text())
def test_no_text_is_a_formula(text):
    assert not str(spreadsheets.cell(text)).lstrip(" ").startswith(spreadsheets.FORMULA_STARTS)


def test_the_number_of_queries_does_not_grow_with_the_sales(client, lan, django_assert_max_num_queries):
    offer = make_offer(make_paid_work(lan))
    for _sale in range(6):
        buy(make_user(), offer)
    page_of(client)
    with django_assert_max_num_queries(16):
        page_of(client)
