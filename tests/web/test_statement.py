"""The creator's statement: every sale, equal to the ledger to the cent, and nobody else's."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as settings_of_site
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sishu.accounts.models import User
from sishu.commerce import maturity, refunds
from sishu.commerce.models import Order, OrderLine, Refund
from sishu.commerce.splits import of_sale
from sishu.core import clock
from sishu.core.money import Money
from sishu.ledger import chart, journal
from sishu.ledger.journal import Move
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.payouts import payees, payouts
from sishu.payouts.models import Method, PayeeAccount
from sishu.web import spreadsheets
from sishu.web.statement_entries import month_of, statements_of
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, make_paid_work, make_plan
from tests.factories.content import make_creator
from tests.payouts.desk import DETAILS, earn, give_back, ready

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
    assert [(r["Title"], r["Number"], r["Buyer paid"], r["Your part"], r["Balance after"]) for r in rows] == [
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
        ("Refund", "-9.90", "-8.91", "0.00"),
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


# --- What becomes of a part afterwards ------------------------------------------------------------


def mature(creator: User, order: Order, part: int) -> None:
    """The refund window is over."""
    with transaction.atomic():
        journal.post(
            key=f"maturity:{order.number}", kind="maturity", ref=order.ref, book=Book.SANDBOX, currency="CNY",
            moves=[Move(chart.creator_pending(creator.pk), chart.creator_available(creator.pk), part, "maturity")],
        )  # fmt: skip


def refund_part(
    creator: User, order: Order, part: int, of_house: int, *, kind: str = "refund", number: int = 1
) -> Journal:
    """A part of an order goes back, out of what is pending."""
    moves = [Move(chart.creator_pending(creator.pk), chart.CLEARING, part, "creator")] if part else []
    moves += [Move(chart.PLATFORM_INCOME, chart.CLEARING, of_house, "platform")]
    moves += [Move(chart.CLEARING, "asset:psp:sandbox", part + of_house, "refund")]
    with transaction.atomic():
        return journal.post(
            key=f"{kind}:{order.number}:{number}",
            kind=kind,
            ref=order.ref,
            book=Book.SANDBOX,
            currency="CNY",
            moves=moves,
        )


def test_a_part_given_back_shows_what_the_buyer_got_and_what_it_took(client, lan):
    order = buy(make_user(), make_offer(make_paid_work(lan, title="Noodles"), amount=1000))
    back = refund_part(lan, order, 270, 30)
    with transaction.atomic():
        journal.reverse(back, key="refund_failed:1", kind="refund_failed")
    refund_part(lan, order, 90, 10, number=2)
    assert [(r["What"], r["Buyer paid"], r["Your part"], r["Balance after"]) for r in file_of(client)] == [
        ("Sale", "10.00", "9.00", "9.00"),
        ("Refund", "-3.00", "-2.70", "6.30"),
        ("Refund that was not made", "3.00", "2.70", "9.00"),
        ("Refund", "-1.00", "-0.90", "8.10"),
    ]
    page = page_of(client)
    assert "The books agree" in page
    assert "−¥0.90" in page
    assert "¥9.00" in page


def test_a_refund_of_an_order_shared_with_others_does_not_guess_the_buyers_part(client, lan):
    order = buy(make_user(), make_offer(make_paid_work(lan, title="Noodles"), amount=1000))
    other = make_offer(make_paid_work(make_creator("qi"), title="Soup"), amount=500)
    OrderLine.objects.create(order=order, offer=other, title="Soup", amount=500, split=[])
    refund_part(lan, order, 270, 30)
    assert [(r["Title"], r["Buyer paid"], r["Your part"]) for r in file_of(client)] == [
        ("Noodles", "10.00", "9.00"),
        ("Noodles", "", "-2.70"),
    ]


def test_maturity_moves_nothing_out_and_payouts_do(client, lan):
    order = buy(make_user(), make_offer(make_paid_work(lan, title="Noodles"), amount=1000))
    mature(lan, order, 900)
    payees.change(lan, Method.BANK, DETAILS)
    mei, bo = make_user("mei", "finance"), make_user("bo", "finance")
    first = payouts.request(lan, Money(300, "CNY"), by=mei, book=Book.SANDBOX)
    payouts.approve(first.pk, by=bo)
    payouts.settle(first.pk, proof="ICBC 0042", paid_on=clock.now().date(), by=mei)
    second = payouts.request(lan, Money(600, "CNY"), by=mei, book=Book.SANDBOX)
    payouts.reject(second.pk, reason="wrong month", by=bo)
    names = ("What", "Your part", "Can be paid out from now on", "Paid out", "Pending after", "Available after")
    assert [tuple(r[name] for name in (*names, "Balance after")) for r in file_of(client)] == [
        ("Sale", "9.00", "0.00", "0.00", "9.00", "0.00", "9.00"),
        ("Can be paid out from now on", "0.00", "9.00", "0.00", "0.00", "9.00", "9.00"),
        ("Payout", "0.00", "0.00", "3.00", "0.00", "6.00", "6.00"),
        ("Payout", "0.00", "0.00", "6.00", "0.00", "0.00", "0.00"),
        ("Payout that was not made", "0.00", "0.00", "-6.00", "0.00", "6.00", "6.00"),
    ]
    page = page_of(client)
    for shown in ("The books agree", "ICBC 0042", "bank account ···· 4821", first.reference, "rejected"):
        assert shown in page
    assert DETAILS.account not in page


def test_the_real_roads_from_sale_to_payout_and_a_refund_after_it(client, lan, set_clock):
    order = buy(make_user(), make_offer(make_paid_work(lan, title="Noodles"), amount=1000))
    set_clock(clock.now() + timedelta(days=settings_of_site.REFUND_WINDOW_DAYS + 1))
    assert maturity.mature_due() == 1
    payees.change(lan, Method.BANK, DETAILS)
    payout = payouts.request(lan, Money(900, "CNY"), by=lan, book=Book.SANDBOX)
    payouts.approve(payout.pk, by=make_user("bo", "finance"))
    line = order.lines.get()
    refunds.refund(order.payments.get().pk, Refund.Part.SALE, by=None, lines={line.pk: 300})
    (statement,) = statements_of(lan, Book.SANDBOX)
    assert statement.agrees
    assert [(e.kind, str(e.gross or ""), str(e.change), str(e.balance)) for e in statement.entries] == [
        ("sale", "¥10.00", "¥9.00", "¥9.00"),
        ("maturity", "", "¥0.00", "¥9.00"),
        ("payout", "", "−¥9.00", "¥0.00"),
        ("refund", "−¥3.00", "−¥2.70", "−¥2.70"),
    ]
    assert statement.debt == Money(270, "CNY")


def test_a_debt_after_a_payout_is_in_the_statement_to_the_cent(lan):
    payees.change(lan, Method.BANK, DETAILS)
    PayeeAccount.objects.update(changed_at=clock.now() - timedelta(days=9))
    earn(lan, 1_000)
    ready(lan, 1_000, lan, make_user("bo", "finance"))
    give_back(lan, 400)
    earn(lan, 150, is_mature=False)
    (statement,) = statements_of(lan, Book.LIVE)
    assert statement.agrees
    assert (statement.balance, statement.debt) == (Money(-250, "CNY"), Money(400, "CNY"))
    assert statement.entries[-1].pending == Money(150, "CNY")


@given(st.lists(st.tuples(st.sampled_from(["sale", "mature", "back", "pay"]), st.integers(1, 10**6)), max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_statement_equals_the_ledger(lan, steps):
    # Each example goes on where the last one stopped: the statement grows.
    for step, amount in steps:
        if step in ("sale", "mature"):
            earn(lan, amount, is_mature=step == "mature")
        elif step == "back":
            give_back(lan, amount)
        elif amount <= balance(chart.creator_available(lan.pk)) and not lan.payouts.filter(open_key__isnull=False):
            if not PayeeAccount.objects.exists():
                payees.change(lan, Method.BANK, DETAILS)
                PayeeAccount.objects.update(changed_at=clock.now() - timedelta(days=9))
            payouts.request(lan, Money(amount, "CNY"), by=lan)
    for statement in statements_of(lan, Book.LIVE):
        assert statement.agrees
        held = [balance(code) for code in (chart.creator_pending(lan.pk), chart.creator_available(lan.pk))]
        assert [statement.entries[-1].pending.amount, statement.entries[-1].available.amount] == held


def test_the_number_of_queries_does_not_grow_with_the_sales(client, lan, django_assert_max_num_queries):
    offer = make_offer(make_paid_work(lan))
    for _sale in range(6):
        buy(make_user(), offer)
    page_of(client)
    with django_assert_max_num_queries(20):
        page_of(client)
