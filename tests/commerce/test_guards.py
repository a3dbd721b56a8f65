"""What was sold stays where it is: every door of the studio, single and in bulk, and every row that hangs on it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from wagtail.models import Locale, Page

from sishu.accounts.models import User
from sishu.commerce import orders
from sishu.commerce.models import Offer, Order
from sishu.content.models import ArticlePage
from sishu.core.errors import Missing
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.commerce import buy, make_offer, make_paid_work, make_plan, start
from tests.factories.content import make_creator, make_house, make_person, prose
from tests.web.desk import settle

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def owner(client: Client) -> User:
    make_house()
    owner = make_user("mistress", "owner", verified=True, is_superuser=True)
    client.post("/login", {"login": owner.username, "password": PASSWORD})  # people are deleted after the password only
    return owner


@pytest.fixture
def sold(owner: User) -> ArticlePage:
    work = make_paid_work(title="Sold")
    buy(make_person(), make_offer(work))
    return work


@pytest.fixture
def unsold(owner: User) -> ArticlePage:
    return make_paid_work(title="Unsold")


def deleting(client: Client, *pages: Page):
    page = pages[0]
    return client.post(
        reverse("wagtailadmin_pages:delete", args=[page.pk]), {"confirm_site_name": "Sishu"}, follow=True
    )


def unpublishing(client: Client, *pages: Page):
    return client.post(reverse("wagtailadmin_pages:unpublish", args=[pages[0].pk]), follow=True)


def moving(client: Client, *pages: Page):
    url = reverse("wagtailadmin_pages:move_confirm", args=[pages[0].pk, elsewhere().pk])
    return client.post(url, follow=True)


def in_bulk(client: Client, action: str, pages: tuple[Page, ...], **said: object):
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", action])
    query = "&".join(f"id={page.pk}" for page in pages)
    return client.post(f"{url}?{query}&next=/studio/", said, follow=True)


def deleting_in_bulk(client: Client, *pages: Page):
    return in_bulk(client, "delete", pages, confirm_site_name="Sishu")


def unpublishing_in_bulk(client: Client, *pages: Page):
    return in_bulk(client, "unpublish", pages)


def moving_in_bulk(client: Client, *pages: Page):
    return in_bulk(client, "move", pages, chooser=elsewhere().pk)


def elsewhere() -> Page:
    """A room that is nobody's who sells anything."""
    return make_paid_work(make_creator()).get_parent()


def is_untouched(page: Page) -> bool:
    now_ = Page.objects.filter(pk=page.pk).first()
    return now_ is not None and now_.live and now_.path == page.path


DOORS = [deleting, unpublishing, moving, deleting_in_bulk, unpublishing_in_bulk, moving_in_bulk]


@pytest.mark.parametrize("door", DOORS)
def test_a_sold_work_stays_with_a_reason_and_the_way_out(client, sold, door):
    answer = door(client, sold)
    assert is_untouched(sold)
    assert "Withdraw it instead" in answer.content.decode()
    assert "Sold" in answer.content.decode()


@pytest.mark.parametrize("door", DOORS)
def test_an_unsold_work_may_go_the_same_way(client, unsold, door):
    answer = door(client, unsold)
    assert not is_untouched(unsold)
    assert "Withdraw it instead" not in answer.content.decode()


@pytest.mark.parametrize("door", [deleting, unpublishing, deleting_in_bulk, unpublishing_in_bulk])
def test_what_hangs_above_a_sold_work_stays_too(client, sold, door):
    hub = sold.get_parent()
    door(client, hub)
    assert is_untouched(hub)
    assert is_untouched(sold)


@pytest.mark.parametrize("door", DOORS)
def test_a_translation_of_a_sold_work_stays_too(client, sold, door):
    other = sold.copy_for_translation(Locale.objects.get(language_code="en"), copy_parents=True)
    other.save_revision().publish()
    other = Page.objects.get(pk=other.pk)
    door(client, other)
    assert is_untouched(other)


@pytest.mark.parametrize("door", DOORS)
def test_an_alias_of_a_sold_work_stays_too(client, sold, door):
    alias = sold.create_alias(parent=sold.get_parent(), update_slug="sold-again")
    alias = Page.objects.get(pk=alias.pk)
    door(client, alias)
    assert is_untouched(alias)


@pytest.mark.parametrize("door", [deleting_in_bulk, unpublishing_in_bulk])
def test_one_sold_work_keeps_the_whole_handful(client, sold, unsold, door):
    door(client, unsold, sold)
    assert is_untouched(unsold)
    assert is_untouched(sold)


def test_an_order_nobody_paid_keeps_a_work_too(client, unsold):
    start(make_person(), make_offer(unsold))
    deleting(client, unsold)
    assert is_untouched(unsold)


def test_a_plan_above_does_not_keep_every_draft(client, owner, unsold):
    buy(make_person(), make_plan())
    deleting(client, unsold)
    assert not Page.objects.filter(pk=unsold.pk).exists()


@pytest.mark.parametrize("door", [deleting, deleting_in_bulk])
def test_a_price_nobody_paid_goes_with_its_work(client, unsold, door):
    make_offer(unsold)
    door(client, unsold)
    assert not Page.objects.filter(pk=unsold.pk).exists()
    assert not Offer.objects.exists()


def test_a_mistyped_confirmation_costs_no_price(client, unsold):
    make_offer(unsold)
    client.post(reverse("wagtailadmin_pages:delete", args=[unsold.pk]), {"confirm_site_name": "Shisu"})
    assert is_untouched(unsold)
    assert Offer.objects.filter(is_open=True).exists()


def test_looking_at_the_question_costs_no_price(client, unsold):
    make_offer(unsold)
    client.get(reverse("wagtailadmin_pages:delete", args=[unsold.pk]))
    assert Offer.objects.filter(is_open=True).exists()


@pytest.mark.parametrize("door", [unpublishing, unpublishing_in_bulk])
def test_what_is_unpublished_is_not_sold_and_not_offered_again_by_itself(client, unsold, door):
    offer, reader = make_offer(unsold), make_person()
    door(client, unsold)
    for asked in ({"offer": offer.pk}, {"content": unsold.pk}):  # before any worker has heard of it
        assert client.get("/payment", asked).status_code == 404
    with pytest.raises(Missing):
        orders.place(reader, offer.pk, language="en")
    settle()
    offer.refresh_from_db()
    assert not offer.is_open
    unsold.get_latest_revision().publish()
    settle()
    with pytest.raises(Missing):
        orders.place(reader, offer.pk, language="en")


def test_what_stays_live_in_another_language_stays_on_sale_while_there_is_something_to_sell(client, unsold):
    offer = make_offer(unsold)
    other = unsold.copy_for_translation(Locale.objects.get(language_code="en"), copy_parents=True)
    other.save_revision().publish()
    unpublishing(client, unsold)
    settle()
    offer.refresh_from_db()
    assert offer.is_open
    free = ArticlePage.objects.get(pk=other.pk)
    free.body = json.dumps([prose("Open to all.")])
    free.save_revision().publish()
    ArticlePage.objects.get(pk=unsold.pk).get_latest_revision().publish()
    unpublishing(client, unsold)
    settle()
    offer.refresh_from_db()
    assert not offer.is_open, "what is live is free"


def test_a_work_has_no_end_whatever_a_form_or_a_version_says(client, sold):
    """Neither the reviewer's yes to a version with an expiry date nor the clock takes away what somebody paid for."""
    form = client.get(reverse("wagtailadmin_pages:edit", args=[sold.pk])).content.decode()
    assert 'name="go_live_at"' in form
    assert 'name="expire_at"' not in form
    ended = (now() - timedelta(hours=1)).isoformat()
    for page in (sold, sold.get_parent().specific):
        revision = page.save_revision()
        revision.content = {**revision.content, "expire_at": ended}
        revision.save()
        revision.publish()
        page.expire_at = now()
        page.save()
    call_command("publish_scheduled", verbosity=0)
    assert not Page.objects.filter(live=False, depth__gt=1).exists()
    assert not Page.objects.exclude(expire_at=None).exists()


def test_a_person_of_the_books_is_not_deleted(client, owner):
    buyer = make_person("buyer")
    order = buy(buyer, make_offer())
    answer = client.post(reverse("wagtailusers_users:delete", args=[buyer.pk]), follow=True)
    assert User.objects.filter(pk=buyer.pk).exists()
    assert Order.objects.filter(pk=order.pk).exists()
    assert "buyer cannot be deleted" in answer.content.decode()
    assert "orders" in answer.content.decode()


def test_an_author_is_not_deleted(client, sold):
    author = sold.owner
    client.post(reverse("wagtailusers_users:delete", args=[author.pk]))
    assert User.objects.filter(pk=author.pk).exists()


def test_people_are_not_deleted_in_bulk_either(client, owner):
    buyer, idle = make_person("buyer"), make_person("idle")
    buy(buyer, make_offer())
    url = reverse("wagtail_bulk_action", args=["accounts", "user", "delete"])
    answer = client.post(f"{url}?id={buyer.pk}&id={idle.pk}&next=/studio/", follow=True)
    assert User.objects.filter(pk__in=[buyer.pk, idle.pk]).count() == 2
    assert "buyer cannot be deleted" in answer.content.decode()


def test_a_person_of_no_book_may_go(client, owner):
    idle = make_person("idle")
    client.post(reverse("wagtailusers_users:delete", args=[idle.pk]))
    assert not User.objects.filter(pk=idle.pk).exists()
