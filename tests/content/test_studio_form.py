"""The studio's own form of a work: it keeps what the writer's page keeps, and refuses what that refuses."""

from __future__ import annotations

import html
import json

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from wagtail.models import Page
from wagtail.test.utils.form_data import nested_form_data, streamfield

from sishu.content import writing
from sishu.content.blocks import IN_TEXT_MESSAGE, UNREAD_MESSAGE
from sishu.content.models import ArticlePage
from sishu.core.errors import Invalid
from tests.factories import content as make

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "en")
UNREAD = make.LONG_ENOUGH + "\n\n```sishu:paywall\nPAID\n```\n\n后面。"
QUOTED = make.LONG_ENOUGH + '\n\n> ```sishu:paywall\n> {"tier": "PAID"}\n> ```'
READABLE = make.LONG_ENOUGH + '\n\n```sishu:paywall\n{"tier": "PAID"}\n```\n\n后面。'


@pytest.fixture
def studio(client: Client, shen) -> Client:
    client.force_login(shen)
    return client


@pytest.fixture
def draft(shen) -> ArticlePage:
    return make.make_article(shen, live=False)


def post(client: Client, page: ArticlePage, *blocks: tuple[str, object], language: str = "en", **more: str):
    """The form of Wagtail's page editor, sent with these blocks."""
    type(page.owner).objects.filter(pk=page.owner_id).update(language=language)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    fields = {
        "title": page.title, "slug": page.slug, "summary": "", "tags": "", "cover": "", "category": "",
        "body": streamfield(list(blocks)), "comments": {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"},
    }  # fmt: skip
    return client.post(
        reverse("wagtailadmin_pages:edit", args=[page.pk]), {**nested_form_data(fields), **more}, follow=True
    )


def shows(answer, sentence: str) -> bool:
    """Whether the form says so: what is wrong with blocks travels as JSON in an attribute."""
    return json.dumps(sentence)[1:-1] in html.unescape(answer.content.decode())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", [UNREAD, QUOTED])
def test_a_fence_that_cannot_be_read_is_refused_in_both_editors_with_one_sentence(studio, shen, draft, text, language):
    with override(language):
        sentence = UNREAD_MESSAGE % {"name": "sishu:paywall"}
        answer = post(studio, draft, ("prose", text), language=language, **{"action-submit": "1"})
        assert shows(answer, sentence)
        draft.refresh_from_db()
        assert not draft.workflow_in_progress
        values, version = writing.latest_values(draft)
        writing.save_draft(draft, shen, type(values)(title="写", markdown=text), version)
        with pytest.raises(Invalid) as refusal:
            writing.submit(draft, shen)
        assert str(refusal.value) == sentence


def test_a_text_without_fences_goes_the_same_way(studio, draft):
    post(studio, draft, ("prose", make.LONG_ENOUGH + "\n\n```python\nx = 1\n```"), **{"action-submit": "1"})
    draft.refresh_from_db()
    assert draft.workflow_in_progress


@pytest.mark.parametrize("text", [UNREAD, READABLE])
def test_a_draft_may_keep_it_for_the_time_being(studio, draft, text):
    post(studio, draft, ("prose", text))
    draft.refresh_from_db()
    assert json.loads(draft.latest_revision.content["body"])[0]["value"] == text


def test_a_block_typed_into_a_text_is_not_published_as_text(studio, draft):
    answer = post(studio, draft, ("prose", READABLE), **{"action-submit": "1"})
    assert shows(answer, IN_TEXT_MESSAGE % {"name": "sishu:paywall"})
    draft.refresh_from_db()
    assert not draft.workflow_in_progress


def test_the_writers_page_makes_a_block_of_it(studio, shen, draft):
    post(studio, draft, ("prose", READABLE))
    values, version = writing.latest_values(draft)
    with pytest.raises(Invalid):
        writing.submit(draft, shen)
    writing.save_draft(draft, shen, values, version)
    draft.refresh_from_db()
    assert [block.block_type for block in draft.get_latest_revision_as_object().body] == ["prose", "paywall", "prose"]
    writing.submit(draft, shen)


# --- Many at once ---------------------------------------------------------------------------------------------------------


def publish_in_bulk(client: Client, *pages: Page, **said: str):
    query = "&".join(f"id={page.pk}" for page in pages)
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "publish"])
    return client.post(f"{url}?{query}&next=/studio/", said, follow=True)


@pytest.mark.parametrize("body", [[make.prose(UNREAD)], [make.prose("x"), {"type": "embed", "value": {"url": ""}}]])
def test_publishing_many_looks_at_each_of_them(client, shen, draft, body):
    client.force_login(make.make_person(role="reviewer", language="en"))
    broken = make.make_article(shen, title="Broken", body=body, live=False)
    answer = publish_in_bulk(client, draft, broken)
    assert "Nothing was published. “Broken”:" in html.unescape(answer.content.decode())
    assert not ArticlePage.objects.live().exists()
    publish_in_bulk(client, draft)
    assert [page.pk for page in ArticlePage.objects.live()] == [draft.pk]


def test_publishing_a_room_looks_at_the_drafts_in_it(client, shen, draft):
    client.force_login(make.make_person(role="reviewer", language="en"))
    broken = make.make_article(shen, title="Broken", body=[make.prose(UNREAD)], live=False)
    room = draft.get_parent()
    answer = publish_in_bulk(client, room, include_descendants="on")
    assert "Nothing was published. “Broken”:" in html.unescape(answer.content.decode())
    assert not ArticlePage.objects.live().exists()
    broken.delete()
    publish_in_bulk(client, room, include_descendants="on")
    assert [page.pk for page in ArticlePage.objects.live()] == [draft.pk]
