"""Payouts in the back office: what is owed, the two people, the caution, and who sees an account in full."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from sishu.accounts.models import User
from sishu.core import clock, crypto
from sishu.ledger.models import Book
from sishu.payouts import payees, payouts
from sishu.payouts.models import Payout
from sishu.web.studio.payouts import CAUTION, STEPS
from tests.factories.accounts import make_user
from tests.payouts.desk import DETAILS, ask, earn, give_back, make_payee, ready

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("house")]


@pytest.fixture
def lan() -> User:
    lan = make_payee("lan")
    earn(lan, 10_000)
    return lan


@pytest.fixture
def mei(client: Client) -> User:
    mei = make_user("mei", "finance", display_name="Mei")
    client.force_login(mei)
    return mei


@pytest.fixture
def bo() -> User:
    return make_user("bo", "finance")


def page_of(client: Client, name: str, *args: int) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, name: str, pk: int, **said: str):
    return client.post(reverse(name, args=[pk]), said, follow=True)


def test_what_is_owed_stands_by_creator_book_and_currency(client, mei, lan):
    earn(lan, 500, currency="USD", is_mature=False)
    earn(lan, 700, book=Book.SANDBOX)
    qi = make_payee("qi")
    earn(qi, 3_000)
    give_back(qi, 4_000)
    page = page_of(client, "payable:index")
    for shown in ("¥100.00", "$5.00", "¥7.00", "¥10.00"):
        assert shown in page
    assert page.count(reverse("payable:request", args=[lan.pk])) == 2
    assert reverse("payable:request", args=[qi.pk]) not in page


def test_the_number_of_queries_does_not_grow_with_the_creators(client, mei, django_assert_max_num_queries):
    for _creator in range(6):
        earn(make_payee(), 100)
    page_of(client, "payable:index")
    with django_assert_max_num_queries(20):
        page_of(client, "payable:index")


def test_two_people_take_a_payout_all_the_way(client, mei, bo, lan):
    told = press(client, "payable:request", lan.pk, purse="live:CNY", amount="60").content.decode()
    payout = Payout.objects.get()
    assert "¥60.00 to lan wait for another person’s approval." in told
    assert "cannot approve it" in press(client, "payouts:approve", payout.pk).content.decode()
    client.force_login(bo)
    assert "60.00" not in page_of(client, "payouts:approve", payout.pk).partition("<form")[2]
    assert "Approved. ¥60.00" in press(client, "payouts:approve", payout.pk).content.decode()
    assert DETAILS.account in page_of(client, "payouts:settle", payout.pk)
    today = clock.now().date().isoformat()
    page = press(client, "payouts:settle", payout.pk, proof="ICBC 0042", paid_on=today).content.decode()
    assert "¥60.00 were paid under ICBC 0042" in page
    for shown in ("Payout asked for", "Mei", "Payout approved", "Written down as paid"):
        assert shown in page_of(client, "payouts:inspect", payout.pk)


@pytest.mark.parametrize(
    ("asker", "person", "requested", "approved", "paid"),
    [
        ("mei", "mei", {"reject"}, {"settle", "fail", "reject"}, {"fail"}),
        ("mei", "bo", {"approve", "reject"}, {"settle", "fail", "reject"}, {"fail"}),
        ("mei", "keeper", {"reject"}, set(), set()),
        ("keeper", "keeper", {"reject"}, set(), set()),
        ("keeper", "bo", {"approve", "reject"}, {"fail", "reject"}, {"fail"}),
        ("keeper", "mei", {"approve", "reject"}, {"settle", "fail", "reject"}, {"fail"}),
    ],
)
def test_what_no_button_offers_is_not_there_by_its_address_either(
    client, mei, bo, asker, person, requested, approved, paid
):
    """`bo` is the one who approves it."""
    keeper = make_payee("keeper", "finance", "creator")
    earn(keeper, 100)
    people = {"mei": mei, "bo": bo, "keeper": keeper}
    payout = ask(keeper, 100, people[asker])
    client.force_login(people[person])

    def check(allowed: set[str]) -> None:
        page = page_of(client, "payouts:inspect", payout.pk)
        for step in {name for name, _label, _icon in STEPS[Payout.objects.get().status]}:
            address = reverse(f"payouts:{step}", args=[payout.pk])
            answer = client.get(address)
            assert (address in page, answer.status_code == 200) == (step in allowed, step in allowed), step
            assert (DETAILS.account.encode() in answer.content) == (step == "settle" and step in allowed), step

    check(requested)
    payouts.approve(payout.pk, by=bo)
    check(approved)
    payouts.settle(payout.pk, proof="ICBC 0042", paid_on=clock.now().date(), by=mei)
    check(paid)


def test_who_gets_the_money_is_offered_only_to_take_their_request_back(client, bo, mei):
    keeper = make_payee("keeper", "finance", "creator")
    earn(keeper, 100)
    client.force_login(keeper)
    payout = ask(keeper, 100, mei)

    def offered() -> list[str]:
        page = page_of(client, "payouts:inspect", payout.pk)
        steps = ("approve", "settle", "reject", "fail")
        return [step for step in steps if reverse(f"payouts:{step}", args=[payout.pk]) in page]

    assert offered() == ["reject"]
    payouts.approve(payout.pk, by=bo)
    assert offered() == []
    told = press(client, "payouts:fail", payout.pk, reason="it did not arrive").content.decode()
    assert "cannot end it" in told
    assert Payout.objects.get().status == "approved"


def test_an_account_is_seen_in_full_only_when_it_is_to_be_paid(client, mei, bo, lan):
    payout = ask(lan, 100, bo)
    names = ("payouts:index", "payouts:inspect", "payouts:approve", "payouts:settle", "payouts:reject")
    for name in names:
        page = page_of(client, name, *([] if name == "payouts:index" else [payout.pk]))
        assert DETAILS.account not in page
        assert DETAILS.holder not in page
    payouts.approve(payout.pk, by=mei)
    assert DETAILS.holder in page_of(client, "payouts:settle", payout.pk)
    payouts.settle(payout.pk, proof="x", paid_on=clock.now().date(), by=bo)
    assert DETAILS.account not in page_of(client, "payouts:settle", payout.pk)


def test_an_account_that_cannot_be_read_is_said_so(client, mei, bo, lan):
    payout = ready(lan, 100, mei, bo)
    crypto.shred(f"user:{lan.pk}")
    assert "cannot be read" in page_of(client, "payouts:settle", payout.pk)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_caution_stands_where_a_person_decides(client, mei, lan, settings, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    mei.language = language
    mei.save()
    payout = ask(lan, 100, lan)
    with translation.override(language):
        caution = str(CAUTION)
    assert "二清" in caution
    earn(lan, 100, currency="USD")
    for name, pk in (("payable:request", lan.pk), ("payouts:approve", payout.pk), ("payouts:settle", payout.pk)):
        assert caution in page_of(client, name, pk), name
    assert caution not in page_of(client, "payouts:reject", payout.pk)


def test_a_rehearsal_and_a_changed_account_are_said_so(client, mei, lan):
    earn(lan, 700, book=Book.SANDBOX)
    payouts.request(lan, payouts.Money(700, "CNY"), by=lan, book=Book.SANDBOX)
    assert "Play money: nothing leaves any bank." in page_of(client, "payouts:approve", Payout.objects.get().pk)
    assert "changed since" not in page_of(client, "payouts:approve", Payout.objects.get().pk)
    payees.change(lan, "alipay", payees.PayeeDetails("Lan", "lan@example.org"))
    assert "changed since" in page_of(client, "payouts:approve", Payout.objects.get().pk)


@pytest.mark.parametrize("amount", ["", "abc", "-1", "0", "1.234", "1e3", "100.01", "9" * 19, "１"])
def test_no_amount_is_an_error(client, mei, lan, amount):
    answer = press(client, "payable:request", lan.pk, purse="live:CNY", amount=amount)
    assert answer.status_code == 200
    assert not Payout.objects.exists()


@pytest.mark.parametrize("purse", ["", "live:USD", "other:CNY", "x" * 500, "sandbox:CNY"])
def test_no_purse_is_an_error(client, mei, lan, purse):
    assert press(client, "payable:request", lan.pk, purse=purse, amount="1").status_code == 200
    assert not Payout.objects.exists()


@pytest.mark.parametrize(
    ("proof", "paid_on"), [("", "2026-01-01"), ("x", "2999-01-01"), ("x", "no day"), ("x" * 500, "")]
)
def test_a_proof_and_a_day_are_asked_for(client, mei, bo, lan, proof, paid_on):
    payout = ready(lan, 100, mei, bo)
    assert press(client, "payouts:settle", payout.pk, proof=proof, paid_on=paid_on).status_code == 200
    assert Payout.objects.get().status == "approved"


def test_rejecting_and_coming_back_tell_why(client, mei, bo, lan):
    payout = ask(lan, 100, bo)
    assert "can be paid out again" in press(client, "payouts:reject", payout.pk, reason="wrong name").content.decode()
    assert "wrong name" in page_of(client, "payouts:inspect", payout.pk)
    second = ready(lan, 100, mei, bo)
    press(client, "payouts:fail", second.pk, reason="account closed")
    assert "account closed" in page_of(client, "payouts:inspect", second.pk)


def test_the_first_page_tells_what_waits(client, mei, bo, lan):
    payout = ask(lan, 100, bo)
    assert "1 payout waits for a second person" in page_of(client, "wagtailadmin_home")
    payouts.approve(payout.pk, by=mei)
    assert "1 payout waits to be transferred" in page_of(client, "wagtailadmin_home")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_is_downloaded_without_an_account(client, mei, lan, form):
    ask(lan, 100, lan)
    answer = client.get(reverse("payouts:index"), {"export": form})
    content = b"".join(answer.streaming_content)
    assert answer.status_code == 200
    assert DETAILS.account.encode() not in content
