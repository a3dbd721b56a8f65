"""Pricing the plan of the whole house."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from sishu.accounts.models import User
from sishu.commerce.models import Offer
from tests.factories.accounts import make_user
from tests.factories.commerce import buy
from tests.factories.content import make_creator, make_house

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def owner(client: Client) -> User:
    make_house()
    owner = make_user("boss", "owner")
    client.force_login(owner)
    return owner


def priced(client: Client, *shares: tuple[User | None, str], title: str = "All of it", price: str = "30"):
    said = {"title": title, "price": price, "shares-TOTAL_FORMS": str(len(shares)), "shares-INITIAL_FORMS": "0"}
    for number, (payee, percent) in enumerate(shares):
        said |= {f"shares-{number}-payee": str(payee.pk) if payee else "", f"shares-{number}-percent": percent}
    return client.post(reverse("plan:index"), said, follow=True)


def test_the_owner_puts_a_plan_on_sale(client, owner):
    lan, qi = make_creator("lan"), make_creator("qi")
    priced(client, (lan, "33.33"), (qi, "20"), (None, ""), price="29.90")
    plan = Offer.objects.get()
    assert (plan.title, plan.amount, plan.currency, plan.interval, plan.is_open) == (
        "All of it", 2990, "CNY", Offer.Interval.MONTH, True,
    )  # fmt: skip
    assert dict(plan.shares.values_list("payee", "share_bps")) == {lan.pk: 3333, qi.pk: 2000}


def test_the_page_shows_the_plan_as_it_is(client, owner):
    priced(client, (make_creator("lan"), "12.50"), price="29.90")
    page = client.get(reverse("plan:index")).content.decode()
    assert 'value="29.90"' in page
    assert 'value="12.5' in page


def test_a_change_leaves_months_already_sold(client, owner):
    lan = make_creator("lan")
    priced(client, (lan, "50"))
    order = buy(make_user(), Offer.objects.get())
    priced(client, price="45")
    assert Offer.objects.get().amount == 4500
    assert not Offer.objects.get().shares.exists()
    assert order.lines.get().split == [[lan.pk, 5000]]


def test_the_plan_goes_off_sale_and_on_again(client, owner):
    priced(client)
    client.post(reverse("plan:index"), {"close": "1"})
    assert not Offer.objects.filter(is_open=True).exists()
    priced(client)
    assert Offer.objects.filter(is_open=True).count() == 1


@pytest.mark.parametrize("price", ["", "ten", "-1", "1.234", "999999999", "NaN"])
def test_a_price_that_cannot_be_is_refused_in_words(client, owner, price):
    answer = priced(client, price=price)
    assert answer.status_code == 422
    assert not Offer.objects.exists()


def test_digits_of_a_chinese_keyboard_are_the_digits_they_show(client, owner):
    """As on the writer's page: one reader of prices serves both."""
    priced(client, price="１２.５０")
    assert Offer.objects.get().amount == 1250


@pytest.mark.parametrize("percents", [("60", "60"), ("0", "10"), ("101", "1"), ("-5", "1"), ("1.234", "1"), ("x", "1")])
def test_shares_that_cannot_be_are_refused(client, owner, percents):
    answer = priced(client, *zip((make_creator(), make_creator()), percents, strict=True))
    assert answer.status_code == 422
    assert not Offer.objects.exists()


def test_a_payee_stands_once_and_with_a_part(client, owner):
    lan = make_creator("lan")
    assert priced(client, (lan, "10"), (lan, "20")).status_code == 422
    assert priced(client, (lan, "")).status_code == 422
    assert priced(client, (None, "10")).status_code == 422


def test_only_people_who_write_here_are_payees(client, owner):
    assert priced(client, (make_user("reader"), "10")).status_code == 422
    assert not Offer.objects.exists()
