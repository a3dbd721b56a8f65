"""The house withdraws a work and brings it back: by whom, why, and what becomes of it in every language."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from wagtail.models import PageLogEntry

from sishu.accounts import roles
from sishu.commerce import access, offers
from sishu.content import writing
from sishu.content.models import ArticlePage
from sishu.content.paywall import Level
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, make_paid_work, make_plan, pay, start
from tests.factories.content import make_creator
from tests.web.desk import settle

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def work() -> ArticlePage:
    """Sold, in two languages."""
    page = make_paid_work(make_creator("lan"), title="Noodles")
    writing.add_translation(page, page.owner).get_latest_revision().publish()
    make_offer(page)
    return page


def signed_in(role: str) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(make_user(f"the-{role}", role, verified=True))
    return client


def asked(client: Client, action: str, page: ArticlePage, reason: str = "copied from a book"):
    return client.post(reverse(f"works:{action}", args=[page.pk]), {"reason": reason}, follow=True)


def withdrawn(page: ArticlePage) -> set[bool]:
    return {one.withdrawn_at is not None for one in ArticlePage.objects.filter(translation_key=page.translation_key)}


@pytest.mark.parametrize("role", [roles.OWNER, roles.REVIEWER])
def test_the_house_withdraws_and_brings_back(work, role):
    buyer = make_user()
    buy(buyer, offers.find_open(work))
    client = signed_in(role)
    edit = reverse("wagtailadmin_pages:edit", args=[work.pk])
    assert reverse("works:withdraw", args=[work.pk]) in client.get(edit).content.decode()
    assert "Withdrawn. Those who bought it keep it" in asked(client, "withdraw", work).content.decode()
    assert withdrawn(work) == {True}
    assert offers.find_open(work) is None
    assert Client().get(work.get_url()).status_code == 410
    assert access.level(buyer, work) == Level.PAID
    entry = PageLogEntry.objects.filter(page=work.pk, action=writing.WITHDRAW).get()
    assert (entry.user.username, entry.data) == (f"the-{role}", {"reason": "copied from a book"})
    assert "copied from a book" in client.get(reverse("wagtailadmin_pages:history", args=[work.pk])).content.decode()
    question = reverse("works:restore", args=[work.pk])
    assert question in client.get(edit).content.decode()
    assert "copied from a book" in client.get(question).content.decode()
    assert "Back on the shelves" in asked(client, "restore", work, "written anew").content.decode()
    settle()
    assert withdrawn(work) == {False}
    assert offers.find_open(work) is None, "its author sets the price"
    assert Client().get(work.get_url()).status_code == 200


@pytest.mark.parametrize("role", [roles.CREATOR, roles.FINANCE, roles.SUPPORT, roles.MEMBER])
def test_others_do_not(work, role):
    client = signed_in(role)
    for action, before in (("withdraw", False), ("restore", True)):
        answer = client.post(reverse(f"works:{action}", args=[work.pk]), {"reason": "because"})
        assert answer.status_code in {302, 403}
        assert withdrawn(work) == {before}
        writing.withdraw(work, make_user("lin", roles.REVIEWER)) if action == "withdraw" else None


def test_a_reason_is_asked_for(work):
    assert "This field is required" in asked(signed_in(roles.REVIEWER), "withdraw", work, " ").content.decode()
    assert withdrawn(work) == {False}


def test_the_author_reads_why_and_cannot_bring_it_back(work):
    asked(signed_in(roles.REVIEWER), "withdraw", work)
    client = Client()
    client.force_login(work.owner)
    sheet = client.get(f"/edit/{work.pk}").content.decode()
    assert "copied from a book" in sheet
    assert 'form="restore"' not in sheet
    assert client.post(f"/edit/{work.pk}/restore").status_code == 403
    assert withdrawn(work) == {True}


def test_an_order_begun_before_still_buys_and_a_plan_goes_on_reading(work):
    late, subscriber = make_user(), make_user()
    begun = start(late, offers.find_open(work))
    buy(subscriber, make_plan())
    asked(signed_in(roles.REVIEWER), "withdraw", work)
    assert pay(begun).order.status == "paid"
    for reader in (late, subscriber):
        client = Client()
        client.force_login(reader)
        page = client.get(work.get_url())
        assert (page.status_code, "Open to those who paid." in page.content.decode()) == (200, True)
