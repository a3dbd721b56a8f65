"""Money goes back only at the hand of somebody who has said who they are within the last minutes."""

from __future__ import annotations

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from sishu.commerce import access
from sishu.commerce.models import Order, OrderLine, Refund
from sishu.content.paywall import Level
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.commerce import buy, make_offer

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def order(client: Client) -> Order:
    order = buy(make_user("ann", display_name="Ann"), make_offer(amount=990))
    make_user("cashier", "finance")
    assert client.post("/login", {"login": "cashier", "password": PASSWORD}).status_code == 302
    return order


@pytest.fixture
def url(order: Order) -> str:
    return reverse("orders:refund", args=[order.pk])


def age(client: Client, seconds: float) -> None:
    """Let the sign-in of this session lie so far back."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= seconds
    session.save()


def filled_in(reason: str) -> dict[str, str]:
    """The refund's form, for all of the one line there is."""
    return {"reason": reason, f"line_{OrderLine.objects.get().pk}": "9.90", "form_key": "f1", "closes_access": "on"}


def asked_at(answer) -> str:
    assert answer.status_code == 302
    assert answer["Location"].startswith("/reauthenticate?next=")
    return answer["Location"]


def test_who_has_just_signed_in_gives_back(client, url):
    assert client.get(url).status_code == 200
    client.post(url, filled_in("wrong language"))
    assert Refund.objects.get().requested_by.username == "cashier"


def test_who_signed_in_a_while_ago_is_asked_first_and_comes_back(client, url):
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.get(url))
    assert "type your password once more" in client.get(page).content.decode()
    assert client.post(page, {"password": PASSWORD})["Location"] == url
    shown = client.get(url).content.decode()
    assert "that Ann paid" in shown
    assert "Nothing was done yet" not in shown


def test_a_form_that_was_sent_is_neither_carried_out_nor_lost(client, url):
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.post(url, filled_in("the wrong language") | {"csrfmiddlewaretoken": "x"}))
    done = client.post(page, {"password": PASSWORD}, follow=True)
    assert done.redirect_chain == [(url, 302)]
    assert not Refund.objects.exists()
    assert "Nothing was done yet" in done.content.decode()
    assert 'value="the wrong language"' in done.content.decode()
    assert "Nothing was done yet" not in client.get(url).content.decode()
    client.post(url, filled_in("the wrong language"))
    assert Refund.objects.get().reason == "the wrong language"


def test_a_part_of_the_money_is_the_same_part_after_the_password(client, order, url):
    line = OrderLine.objects.get()
    said = {"reason": "a kindness", f"line_{line.pk}": "1.00", "form_key": "f1"}  # "close" has no tick
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.post(url, said))
    shown = client.post(page, {"password": PASSWORD}, follow=True).context["form"]
    back = {bound.name: bound.value() for bound in shown if bound.value() not in ("", False)}
    assert back == said
    assert not shown["closes_access"].value()
    assert "checked" not in str(shown["closes_access"])
    client.post(url, back)
    assert Refund.objects.get().amount == 100
    line.refresh_from_db()
    assert access.level(order.user, line.offer.page.specific) == Level.PAID


def test_a_wrong_password_opens_nothing(client, url):
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.post(url, {"reason": "greed"}))
    answer = client.post(page, {"password": "wrong"})
    assert answer.status_code == 422
    assert "That is not your password." in answer.content.decode()
    asked_at(client.post(url, {"reason": "greed"}))
    assert not Refund.objects.exists()


def test_guessing_is_limited(client, url):
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.get(url))
    answers = [client.post(page, {"password": f"wrong {n}"}).status_code for n in range(12)]
    assert answers[-1] == 429
    assert client.post(page, {"password": PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_way_back_leads_nowhere_else(client, url, elsewhere):
    answer = client.post("/reauthenticate", {"password": PASSWORD, "next": elsewhere})
    assert answer.status_code == 302
    assert answer["Location"] == "/library"


def test_a_program_is_told_and_not_led(client, url):
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    for answer in (
        client.post(url, {"reason": "x"}, headers={"Accept": "application/json"}),
        client.get(url, headers={"Accept": "application/json"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")


def test_another_persons_password_of_this_browser_does_not_count(client, order, url):
    client.post("/logout")
    make_user("second", "finance")
    client.post("/login", {"login": "second", "password": PASSWORD})
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    page = asked_at(client.get(url))
    assert client.post(page, {"password": "not-seconds-password"}).status_code == 422


def test_a_record_from_the_future_does_not_count(client, url):
    age(client, -site.ACCOUNT_REAUTHENTICATION_TIMEOUT * 10)
    asked_at(client.get(url))


def test_who_has_no_password_here_is_told(client, url):
    someone = make_user("keyless", "finance")
    someone.set_unusable_password()
    someone.save()
    client.force_login(someone)
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    answer = client.get(url)
    assert answer.status_code == 403
    assert "you have none here" in answer.content.decode()


def test_who_may_not_give_back_is_not_asked_for_a_password(client, url):
    client.force_login(make_user("helper", "support"))
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    assert client.get(url)["Location"] != "/reauthenticate"
    assert "reauthenticate" not in client.post(url, {"reason": "x"}).get("Location", "")
    assert not Refund.objects.exists()


def test_closing_a_case_asks_for_no_password(client, order):
    """It moves no money."""
    age(client, site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    payment = order.payments.get()
    assert client.get(reverse("payments:refresh", args=[payment.pk])).status_code == 200


@pytest.mark.parametrize(
    ("language", "words"), [("en", "type your password once more"), ("zh-hans", "请再输入一次密码")]
)
def test_the_page_speaks_both_languages(client, url, language, words):
    client.cookies[site.LANGUAGE_COOKIE_NAME] = language
    assert words in client.get(f"/reauthenticate?next={url}").content.decode()
