"""A number is all it takes to name another's upload: no door of the house makes it one's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from wagtail.test.utils.form_data import inline_formset, nested_form_data, streamfield

from sishu.content import writing
from sishu.content.models import ArticlePage, MediaUse
from sishu.core.errors import Invalid
from tests.factories import content as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def victim():
    return make.make_creator("victim")


@pytest.fixture
def paid(victim):
    return make.make_attachment(victim, content=b"paid")


@pytest.fixture
def picture(victim):
    return make.make_picture(victim)


@pytest.fixture
def mallory():
    return make.make_creator("mallory")


@pytest.fixture
def mine(mallory):
    return make.make_article(mallory, live=False)


def file_block(key: int) -> dict[str, Any]:
    return {"type": "file", "value": {"document": key, "title": ""}}


def save_in_studio(page: ArticlePage, user: Any, *, files: tuple[int, ...] = (), cover: int | str = "") -> int:
    """Send the page's form as the studio would; the status of the answer (302: kept)."""
    body = [("prose", make.LONG_ENOUGH), *(("file", {"document": str(key), "title": "f"}) for key in files)]
    fields = {
        "title": page.title, "slug": page.slug, "summary": "", "cover": str(cover), "category": "", "tags": "",
        "body": streamfield(body), "go_live_at": "", "comments": inline_formset([]), "comment_notifications": "",
        "seo_title": "", "search_description": "",
    }  # fmt: skip
    client = Client()
    client.force_login(user)
    return client.post(f"/studio/pages/{page.pk}/edit/", nested_form_data(fields)).status_code


def newest(page: ArticlePage) -> ArticlePage:
    return ArticlePage.objects.get(pk=page.pk).get_latest_revision_as_object()


def test_the_studio_takes_a_creators_own_uploads_only(mine, mallory, paid, picture):
    own, own_picture = make.make_attachment(mallory), make.make_picture(mallory)
    before = newest(mine).latest_revision_id
    assert save_in_studio(mine, mallory, files=(paid.pk,)) == 200
    assert save_in_studio(mine, mallory, cover=picture.pk) == 200
    assert newest(mine).latest_revision_id == before
    assert save_in_studio(mine, mallory, files=(own.pk,), cover=own_picture.pk) == 302
    assert newest(mine).cover_id == own_picture.pk


def test_what_stands_in_a_work_may_stay_whoever_saves_it(mine, mallory, paid):
    assert save_in_studio(mine, make.make_person(role="owner"), files=(paid.pk,)) == 302
    assert save_in_studio(mine, mallory, files=(paid.pk,)) == 302


def test_a_foreign_upload_never_opens_by_going_live(mine, mallory, paid, picture):
    """However it came into a version: it is not handed in, and published it is shown to nobody."""
    draft = newest(mine)
    draft.body, draft.cover = json.dumps([make.prose(make.LONG_ENOUGH), file_block(paid.pk)]), picture
    draft.save_revision(user=mallory)
    with pytest.raises(Invalid):
        writing.submit(mine, mallory)
    mine.get_latest_revision().publish()
    assert not MediaUse.objects.exists()
    for path in (f"/files/{paid.pk}", f"/pictures/{picture.pk}/480"):
        assert Client().get(path).status_code == 404


def test_what_the_house_puts_into_a_work_is_shown(mine, paid):
    assert save_in_studio(mine, make.make_person(role="owner"), files=(paid.pk,)) == 302
    newest(mine).get_latest_revision().publish()
    assert MediaUse.objects.get().attachment == paid
