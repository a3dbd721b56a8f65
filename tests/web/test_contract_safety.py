"""What no door of the contract may give away, and what no caller decides: tried on pages, JSON and API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from sishu.accounts import tokens
from sishu.accounts.models import ApiToken, User
from sishu.commerce.models import Entitlement, Order, Payment
from sishu.content import writing
from sishu.content.models import ArticlePage
from sishu.ledger.models import Transfer
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.commerce import bank, make_offer, make_paid_work
from tests.factories.content import make_creator, make_house, make_person

pytestmark = pytest.mark.django_db

JSON = "application/json"
NEW = {"username": "aheng", "email": "aheng@example.org", "password": PASSWORD}


def program_of(user: User) -> Client:
    _token, secret = tokens.issue(user, "test", scope="write")
    return Client(headers={"Authorization": f"Bearer {secret}"})


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- No secret is kept as it was typed or shown -------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "kind"), [("/register", None), ("/register", JSON), ("/api/v1/register", JSON)])
def test_no_password_is_kept_as_it_was_typed(path: str, kind: str | None):
    Client().post(path, NEW, **({"content_type": kind} if kind else {}))
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    kept = [str(value) for row in User.objects.values() for value in row.values()]
    assert not any(PASSWORD in value for value in kept)


def test_no_token_is_kept_as_it_was_shown():
    make_user("shen")
    secret = (
        Client().post("/api/v1/tokens", {"login": "shen", "password": PASSWORD, "name": "x"}, JSON).json()["secret"]
    )
    kept = [str(value) for row in ApiToken.objects.values() for value in row.values()]
    assert not any(secret in value for value in kept)


# --- "No such user" and "wrong password" are one answer --------------------------------------------------------------


@pytest.mark.parametrize(("path", "kind"), [("/login", None), ("/login", JSON), ("/api/v1/tokens", JSON)])
def test_a_name_that_exists_is_not_told_apart(path: str, kind: str | None):
    make_user("shen")

    def answer(login: str) -> tuple[int, bytes]:
        sent = {"login": login, "password": "not-the-password", "name": "x"}
        response = Client().post(path, sent, **({"content_type": kind} if kind else {}))
        said = re.sub(rb'csrfmiddlewaretoken" value="[^"]+"', b"", response.content)
        return response.status_code, said.replace(login.encode(), b"")

    known, unknown = answer("shen"), answer("nobody")
    assert known == unknown
    assert known[0] in {401, 422}


@pytest.mark.parametrize("path", ["/register", "/api/v1/register"])
def test_an_address_that_exists_is_not_told_apart(path: str):
    make_user("first", email="aheng@example.org")
    known = Client().post(path, NEW, JSON)
    unknown = Client().post(path, {**NEW, "email": "free@example.org"}, JSON)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


# --- Nobody writes in the name of another -------------------------------------------------------------------------------------------


def test_nobody_edits_the_work_of_another():
    make_house()
    author = make_creator()
    work = writing.create(author, "zh-hans", writing.DraftValues(title="我的", markdown="原文。"))
    sent = {"title": "他的", "body": "改了。", "markdown": "改了。", "version": work.latest_revision_id}
    for other in (make_creator(), make_person()):
        assert browser_of(other).get(f"/edit/{work.pk}").status_code in {403, 404}
        for answer in (
            browser_of(other).post(f"/edit/{work.pk}", sent),
            browser_of(other).post(f"/edit/{work.pk}", sent, JSON),
            program_of(other).put(f"/api/v1/writing/{work.pk}", sent, JSON),
        ):
            assert answer.status_code in {403, 404}
    for answer in (
        Client().post(f"/edit/{work.pk}", sent, JSON),
        Client().put(f"/api/v1/writing/{work.pk}", sent, JSON),
    ):
        assert answer.status_code == 401
    assert writing.latest_values(ArticlePage.objects.get(pk=work.pk))[0].markdown.strip() == "原文。"


def test_nobody_publishes_without_being_asked_to_or_under_another_name():
    make_house()
    victim, reader = make_creator(), make_person()
    sent = {"title": "冒名", "body": "文。" * 200, "markdown": "文。" * 200, "author": victim.pk, "user_id": victim.pk}
    assert browser_of(reader).post("/publish", sent, JSON).status_code == 403
    assert program_of(reader).post("/api/v1/writing", sent, JSON).status_code == 403
    assert Client().post("/publish", sent, JSON).status_code == 401
    assert Client().post("/api/v1/writing", sent, JSON).status_code == 401
    assert not ArticlePage.objects.exists()


# --- The price and the payment are not the client's to say ----------------------------------------------------------------

CLAIMS = {
    "amount": 1, "price": 1, "total": 1, "due": 1, "currency": "VND", "status": "paid", "paid": True, "payee": 1,
    "user": 1, "user_id": 1, "captured_amount": 990, "split": [[1, 10_000]],
}  # fmt: skip


def ways_to_pay(buyer: User, offer_id: int) -> dict[str, Any]:
    sent = {**CLAIMS, "offer": offer_id}
    return {
        "form": lambda: browser_of(buyer).post("/payment", sent),
        "JSON": lambda: browser_of(buyer).post("/payment", sent, JSON),
        "API": lambda: program_of(buyer).post("/api/v1/orders", sent, JSON),
    }


@pytest.mark.money
@pytest.mark.parametrize("way", ["form", "JSON", "API"])
def test_the_price_is_the_servers_and_paid_is_what_the_provider_says(way: str):
    author, buyer = make_creator(), make_person()
    offer = make_offer(make_paid_work(author), amount=990)
    answer = ways_to_pay(buyer, offer.pk)[way]()
    assert answer.status_code in {201, 202, 302, 303}
    order, payment = Order.objects.get(), Payment.objects.get()
    assert (order.amount, order.currency, order.user, order.status) == (990, "CNY", buyer, "awaiting_payment")
    assert (payment.amount, payment.currency) == (990, "CNY")
    assert order.lines.get().split == [[author.pk, 9000]]
    assert not Entitlement.objects.exists()
    assert not Transfer.objects.exists()

    browser = browser_of(buyer)
    browser.get(f"/payment/{order.number}/return?status=paid&success=1")
    assert not Entitlement.objects.exists(), "coming back is no proof"
    bank().pay(payment.reference)
    browser.get(f"/payment/{order.number}/return")
    assert Entitlement.objects.get().user == buyer
    assert Transfer.objects.get(code="capture").amount == 990
