"""Wagtail's studio under our policy, in a real browser: its widgets start though no script stands inside a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from wagtail.models import Workflow

from sishu.content.models import ArticlePage
from sishu.content.workflow import NAME
from tests.factories import content as make
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Enter = Callable[[Any], Page]


@pytest.fixture
def enter(chromium: Browser, live_server: Any, house: None) -> Iterator[Enter]:
    """A page of somebody signed in; whatever the policy forbids there, or a script trips over, fails the test."""
    complaints: list[str] = []

    def open_as(user: Any) -> Page:
        user.language = "en"
        user.save()
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context = chromium.new_context(locale="en-GB", base_url=live_server.url)
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_as
    # An old plug-in tries whether the browser knows touch by writing handlers, and does well without them.
    assert [line for line in complaints if "inline event handler" not in line] == []


def test_a_creator_picks_a_cover_and_a_day(enter: Enter):
    creator = make.make_creator("shen")
    picture, work = make.make_picture(creator, title="moon"), make.make_article(creator, live=False)
    page = enter(creator)
    page.goto(f"/studio/pages/{work.pk}/edit/")
    page.get_by_role("button", name="Choose an image").click()
    page.get_by_role("link", name="moon").click()
    expect(page.locator("#id_cover")).to_have_value(str(picture.pk))
    assert page.locator("#id_go_live_at").evaluate("field => !!jQuery(field).data('xdsoft_datetimepicker')")
    page.evaluate("document.querySelector('#page-edit-form').requestSubmit()")
    page.wait_for_url("**/edit/")
    expect(page.get_by_text("has been updated").or_(page.get_by_text("has been saved")).first).to_be_visible()
    assert ArticlePage.objects.get(pk=work.pk).get_latest_revision_as_object().cover == picture


def test_an_owner_adds_a_step_to_the_review_and_moves_a_work(enter: Enter):
    owner, creator = make.make_person(role="owner", is_superuser=True), make.make_creator("shen")
    work = make.make_article(creator)
    page = enter(owner)
    page.goto(f"/studio/workflows/edit/{Workflow.objects.get(name=NAME).pk}/")
    page.get_by_role("button", name="Add task").click()
    page.locator("[id$='-2-task-chooser']").get_by_role("button", name="Choose a task").click()
    expect(page.locator(".modal")).to_contain_text("First checks")
    page.goto(f"/studio/pages/{work.pk}/move/")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("button", name="Choose another page").click()
    expect(page.locator(".modal")).to_be_visible()


def test_a_picture_keeps_its_point_of_interest(enter: Enter):
    owner = make.make_person(role="owner", is_superuser=True)
    picture = make.make_picture(owner, width=400, height=300)
    page = enter(owner)
    page.goto(f"/studio/images/{picture.pk}/")
    box = page.locator(".jcrop-holder").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 120, steps=5)
    page.mouse.up()
    expect(page.locator("[name=focal_point_width]")).not_to_have_value("")


def test_a_list_can_be_read_on_a_telephone(enter: Enter):
    order = buy(make_user("reader"), make_offer())
    page = enter(make_user("fin", "finance"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/studio/orders/")
    total = page.locator("td", has_text=str(order.total))
    expect(total).to_have_attribute("data-l", "Total")
    box = page.locator("td.title a").bounding_box()
    assert box is not None
    assert box["height"] < 40, "the number stands on one line"
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
