"""Why can, or can't, this person open this page?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from sishu.accounts.models import User
from sishu.commerce import refunds
from sishu.commerce.models import Entitlement, Refund
from sishu.content import writing
from sishu.content.models import ArticlePage, HomePage
from sishu.core import clock
from sishu.core.addresses import absolute
from sishu.web.paths import page_path
from sishu.web.studio.access import find_page
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, make_paid_work, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def work(client: Client) -> ArticlePage:
    client.force_login(make_user("helper", "support"))
    return make_paid_work(title="Noodles")


@pytest.fixture
def ann() -> User:
    return make_user("ann", display_name="Ann")


def asked(client: Client, person: str, page: ArticlePage) -> str:
    answer = client.get(reverse("access:index"), {"person": person, "page": absolute(page_path(page))})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_reader_who_bought_nothing(client, work, ann):
    page = asked(client, "ann", work)
    assert "Ann can read up to the paywall, and no further." in page
    assert "holds no entitlement" in page


def test_a_buyer_asked_for_by_address(client, work, ann):
    order = buy(ann, make_offer(work))
    page = asked(client, "Ann@example.org", work)
    assert "Ann can read all of it." in page
    assert "Bought it, or what it belongs to, for good." in page
    assert f"Order {order.number}" not in page, "whoever helps readers need not see their orders"
    client.force_login(make_user("owner", "owner"))
    page = asked(client, "ann", work)
    assert f'<a href="{reverse("orders:inspect", args=(order.pk,))}">Order {order.number}</a>' in page
    assert "line:" not in page


def test_a_plan_that_ran_out_shows_until_when(client, work, ann):
    buy(ann, make_plan())
    assert "Ann can read all of it." in asked(client, "ann", work)
    ended = clock.now() - timedelta(days=3)
    Entitlement.objects.update(starts_at=ended - timedelta(days=30), ends_at=ended)
    page = asked(client, "ann", work)
    assert "no further" in page
    assert "What they hold that covers this page" in page
    assert str(ended.year) in page


def test_a_refunded_buyer_shows_what_was_taken_back(client, work, ann):
    order = buy(ann, make_offer(work))
    refunds.refund(order.payments.get().pk, Refund.Part.SALE, by=None)
    page = asked(client, "ann", work)
    assert "no further" in page
    assert "refunded" in page


def test_an_author_and_a_reviewer(client, work):
    make_user("judge", "reviewer", display_name="Judge")
    assert "can read all of it" in asked(client, work.owner.username, work)
    page = asked(client, "judge", work)
    assert "Judge can read all of it." in page
    assert "reviewer" in page


def test_an_account_that_is_off(client, work, ann):
    buy(ann, make_offer(work))
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert "the account is inactive" in asked(client, "ann", work)


def test_a_withdrawn_work(client, work, ann):
    buyer = make_user("bea", display_name="Bea")
    buy(buyer, make_offer(work))
    writing.withdraw(work, work.owner)
    assert "Ann cannot open it: the work was withdrawn" in asked(client, "ann", work)
    assert "Bea can read all of it." in asked(client, "bea", work)


def test_a_draft(client, ann, work):
    ArticlePage.objects.filter(pk=work.pk).update(live=False)
    assert "not published" in asked(client, "ann", work)


def test_who_or_what_is_not_there(client, work):
    answer = client.get(reverse("access:index"), {"person": "nobody", "page": "/nowhere"})
    page = answer.content.decode()
    assert "Nobody here has this name" in page
    assert "There is no page at this address" in page


def test_support_gets_no_link_into_the_books(client, work, ann):
    order = buy(ann, make_offer(work))
    assert reverse("orders:inspect", args=[order.pk]) not in asked(client, "ann", work)


def test_a_page_is_found_by_its_address_in_either_language(work):
    english = make_paid_work(title="Soup", locale="en")
    for page in (work, english):
        assert find_page(page_path(page)).pk == page.pk
        assert find_page(f"https://elsewhere.example{page_path(page)}?x=1#y").pk == page.pk
    for code, path in (("zh-hans", "/"), ("en", "/en/")):
        assert find_page(path).pk == HomePage.objects.get(locale__language_code=code).pk


@pytest.mark.parametrize("address", ["http://[", "/en/nothing", "javascript:alert(1)", "%00", "/%ff", "x" * 2000])
def test_what_is_no_address_finds_nothing(work, address):
    assert find_page(address) is None
