"""A creator's own account and payouts: kept safe, asked for, taken back, and nobody else's."""

from __future__ import annotations

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from sishu.accounts.models import User
from sishu.ledger.models import Book
from sishu.payouts import payees, payouts
from sishu.payouts.models import PayeeAccount, Payout
from tests.factories.accounts import PASSWORD, make_user
from tests.payouts.desk import DETAILS, ask, earn, give_back, make_payee, ready

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("in_english", "house")]
BANK = {"method": "bank", "holder": "Zhou Lan", "account": "6222 0202 0011 2234 821", "bank": "ICBC, West Lake"}


@pytest.fixture
def lan(client: Client) -> User:
    lan = make_payee("lan")
    client.force_login(lan)
    return lan


@pytest.fixture
def confirmed(client: Client, lan: User) -> Client:
    """Somebody who just typed their password."""
    client.logout()
    client.cookies[site.LANGUAGE_COOKIE_NAME] = "en"
    assert client.post("/login", {"login": "lan", "password": PASSWORD}).status_code == 302
    return client


def page_of(client: Client, name: str) -> str:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


def test_an_account_is_kept_as_one_word_and_shown_by_its_end(confirmed, lan):
    assert confirmed.post(reverse("payee"), BANK).status_code == 302
    account = PayeeAccount.objects.get()
    assert payees.read(account) == payees.PayeeDetails("Zhou Lan", "6222020200112234821", "ICBC, West Lake")
    page = page_of(confirmed, "payee")
    assert "···· 4821" in page
    assert "Nothing is paid to it before" in page
    assert "6222020200112234821" not in page


def test_row_54_a_change_takes_the_password_again(client, confirmed, lan):
    session = confirmed.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
    session.save()
    asked = confirmed.post(reverse("payee"), {**BANK, "method": "alipay", "account": "thief@example.org"})
    assert (asked.status_code, asked["Location"]) == (302, "/reauthenticate?next=%2Faccount%2Fpayee")
    assert "thief" not in str(dict(confirmed.session))
    assert PayeeAccount.objects.get().tail == "···· 4821"
    confirmed.post(asked["Location"], {"password": PASSWORD})
    assert PayeeAccount.objects.get().tail == "···· 4821"
    assert "Nothing was changed yet" in page_of(confirmed, "payee")
    assert confirmed.get(reverse("payee")).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {**BANK, "method": "cash"},
        {**BANK, "holder": ""},
        {**BANK, "account": "1"},
        {**BANK, "account": "1" * 65},
        {**BANK, "bank": ""},
        {},
    ],
)
def test_what_is_missing_is_said(confirmed, lan, said):
    assert confirmed.post(reverse("payee"), said).status_code == 422
    assert PayeeAccount.objects.get().version == 1


def test_who_has_no_verified_address_is_told_so(client):
    user = make_user("qi", "creator")
    client.post("/login", {"login": "qi", "password": PASSWORD})
    answer = client.post(reverse("payee"), BANK)
    assert answer.status_code == 403
    assert "Verify your e-mail address first" in answer.content.decode()
    assert not PayeeAccount.objects.filter(user=user).exists()


def test_asking_taking_back_and_asking_again(client, lan):
    earn(lan, 10_000)
    assert "100.00" in page_of(client, "payouts")
    for _press in range(2):
        assert client.post(reverse("payouts"), {"purse": "live:CNY", "amount": "60"}).status_code in (302, 422)
    payout = Payout.objects.get()
    assert (payout.amount, payout.requested_by) == (6_000, lan)
    assert "Take it back" in page_of(client, "payouts")
    for _press in range(2):
        assert client.post(reverse("payout_take_back", args=[payout.pk])).status_code == 302
    assert client.post(reverse("payouts"), {"purse": "live:CNY", "amount": "100"}).status_code == 302
    assert [one.status for one in Payout.objects.order_by("pk")] == ["rejected", "requested"]


@pytest.mark.parametrize("amount", ["", "abc", "-1", "0", "100.01", "1.234", "9" * 19])
def test_no_amount_is_an_error_with_the_way_out(client, lan, amount):
    earn(lan, 10_000)
    answer = client.post(reverse("payouts"), {"purse": "live:CNY", "amount": amount})
    assert answer.status_code == 422
    assert not Payout.objects.exists()


def test_nobody_takes_back_anothers(client, lan):
    other = make_payee("qi")
    earn(other, 100)
    payout = ask(other, 100, other)
    assert client.post(reverse("payout_take_back", args=[payout.pk])).status_code == 404
    assert client.post(reverse("payout_take_back", args=[2**62])).status_code == 404
    assert client.get(reverse("payout_take_back", args=[payout.pk])).status_code == 405
    assert payout.reference not in page_of(client, "payouts")


def test_what_was_approved_is_not_taken_back(client, lan):
    earn(lan, 100)
    payout = ready(lan, 100, lan, make_user("bo", "finance"))
    assert client.post(reverse("payout_take_back", args=[payout.pk])).status_code == 403
    assert Payout.objects.get().status == "approved"


def test_play_money_is_called_a_rehearsal(client, lan):
    earn(lan, 700, book=Book.SANDBOX)
    payouts.request(lan, payouts.Money(700, "CNY"), by=lan, book=Book.SANDBOX)
    page = page_of(client, "payouts")
    assert "Play money in CNY" in page
    assert "rehearsal with play money" in page


@pytest.mark.parametrize("name", ["statement", "payouts"])
def test_row_48_a_debt_is_said_in_words(client, lan, name):
    earn(lan, 1_000)
    give_back(lan, 4_000)
    page = page_of(client, name)
    assert "You owe" in page
    assert "¥30.00" in page
    assert "Ask for the payout" not in page
    if name == "statement":
        assert "You need not transfer anything: it is taken from what you earn next." in page


def test_who_earned_nothing_reads_so(client):
    make_user("qi")
    client.post("/login", {"login": "qi", "password": PASSWORD})
    assert "Nothing earned yet" in page_of(client, "payouts")
    assert "None yet." in page_of(client, "payee")


@pytest.mark.parametrize("name", ["payee", "payouts"])
def test_a_stranger_is_asked_to_sign_in(name):
    for ask_for in (Client().get, Client().post):
        answer = ask_for(reverse(name))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login")


def test_details_stand_on_no_page_of_ones_own(confirmed, lan):
    earn(lan, 100)
    ask(lan, 100, lan)
    for name in ("payee", "payouts", "statement"):
        assert DETAILS.account not in page_of(confirmed, name)
