"""Row 52, and what else needs several processes at the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sishu.accounts.models import User
from sishu.core.money import Money
from sishu.ledger import chart
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.payouts import payees, payouts
from sishu.payouts.models import Method, PayeeAccount, Payout
from tests.crowd import rush
from tests.factories.accounts import make_user
from tests.payouts.desk import DETAILS, ask, earn, make_payee, ready

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.money, pytest.mark.processes]


def request(payee_id: int, amount: int, by_id: int) -> str:
    payee, by = User.objects.get(pk=payee_id), User.objects.get(pk=by_id)
    return payouts.request(payee, Money(amount, "CNY"), by=by).reference


def approve(payout_id: int, by_id: int) -> str:
    return payouts.approve(payout_id, by=User.objects.get(pk=by_id)).status


def end(payout_id: int, by_id: int, is_paid: bool) -> str:
    by = User.objects.get(pk=by_id)
    if is_paid:
        payout = Payout.objects.get(pk=payout_id)
        return payouts.settle(payout_id, proof="ICBC 1", paid_on=payout.created_at.date(), by=by).status
    return payouts.reject(payout_id, reason="no", by=by).status


def name_account(user_id: int, number: int) -> str:
    details = payees.PayeeDetails("Lan", f"62220202001122348{number:02}")
    return payees.change(User.objects.get(pk=user_id), Method.BANK, details).tail


def call(task: Callable[..., str], *arguments: int) -> str:
    return task(*arguments)


def money_of(user: User) -> tuple[int, int, int]:
    codes = (chart.creator_available(user.pk), chart.payout_in_transit(user.pk), chart.BANK)
    available, transit, bank = (balance(code, book=Book.LIVE) for code in codes)
    return available, transit, bank


def test_row_52_six_people_ask_for_the_same_money_at_once(transactional_db):
    lan, mei = make_payee("lan"), make_user("mei", "finance")
    earn(lan, 10_000)
    answers = rush(request, [(lan.pk, 6_000 + number, mei.pk) for number in range(6)])
    refused = [answer for answer in answers if answer.startswith("AlreadyUnderWay")]
    assert (len(refused), Payout.objects.count()) == (5, 1), answers
    available, transit, bank = money_of(lan)
    assert (available + transit, bank) == (10_000, 0)
    assert transit == Payout.objects.get().amount


def test_row_52_one_person_in_six_tabs_asks_once(transactional_db):
    lan = make_payee("lan")
    earn(lan, 10_000)
    answers = rush(request, [(lan.pk, 10_000, lan.pk)] * 6)
    assert set(answers) == {Payout.objects.get().reference}
    assert money_of(lan) == (0, 10_000, 0)


def test_two_people_approve_and_pay_at_once(transactional_db):
    lan, mei, bo = make_payee("lan"), make_user("mei", "finance"), make_user("bo", "finance")
    earn(lan, 10_000)
    payout = ask(lan, 10_000, make_user("an", "finance"))
    assert rush(approve, [(payout.pk, mei.pk), (payout.pk, bo.pk)] * 2) == ["approved"] * 4
    assert rush(end, [(payout.pk, mei.pk, True), (payout.pk, bo.pk, True)] * 2) == ["paid"] * 4
    assert money_of(lan) == (0, 0, -10_000)
    assert Journal.objects.filter(ref=payout.ref).count() == 2


def test_paid_and_rejected_at_once_is_one_of_them(transactional_db):
    lan, mei, bo = make_payee("lan"), make_user("mei", "finance"), make_user("bo", "finance")
    earn(lan, 10_000)
    payout = ready(lan, 10_000, mei, bo)
    answers = rush(end, [(payout.pk, mei.pk, True), (payout.pk, bo.pk, False)])
    assert sum(answer in ("paid", "rejected") for answer in answers) == 1, answers
    assert sum(answer.startswith("WrongStatus") for answer in answers) == 1, answers
    assert money_of(lan) in {(0, 0, -10_000), (10_000, 0, 0)}


def test_a_first_account_named_in_four_tabs_is_one(transactional_db):
    lan = make_user("lan", "creator", verified=True)
    answers = rush(name_account, [(lan.pk, number) for number in range(4)])
    account = PayeeAccount.objects.get()
    assert account.tail in answers
    assert account.version == 4
    assert payees.read(account).account.endswith(account.tail[-4:])
    assert DETAILS.account != payees.read(account).account


def test_an_account_changed_while_money_is_asked_for_holds_nobody_up(transactional_db):
    lan, bo = make_payee("lan", "creator", "finance"), make_payee("bo", "creator", "finance")
    for person in (lan, bo):
        earn(person, 10_000)
    people = ((lan, bo), (bo, lan))
    tasks = [(request, payee.pk, 10_000, by.pk) for payee, by in people] * 2
    tasks += [(name_account, payee.pk, number) for payee, _by in people for number in range(4)]
    answers = rush(call, tasks)
    asked = dict(Payout.objects.values_list("reference", "tail"))
    tails = {PayeeAccount.objects.get(user=person).tail for person in (lan, bo)}
    assert tails <= set(answers)
    # Who asked after a change was told to wait; nobody was told of a deadlock.
    others = [answer for answer in answers if not answer.startswith(("CoolingDown", "····")) and answer not in asked]
    assert others == [], answers


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks the whole file")
def test_people_are_locked_before_their_accounts(transactional_db):
    lan, mei = make_payee("lan"), make_user("mei", "finance")
    earn(lan, 10_000)
    with CaptureQueriesContext(connection) as asked:
        request(lan.pk, 10_000, mei.pk)
    locked = [query["sql"].split(" FROM ")[1].split()[0] for query in asked if query["sql"].endswith("FOR UPDATE")]
    assert [table.strip('"`') for table in locked[:2]] == [User._meta.db_table, PayeeAccount._meta.db_table]
