"""The works before and after one, as the foot of an article names them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sishu.content.models import ArticlePage
from sishu.web import listings
from tests.factories.content import make_article

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def published(hours: int, **values: object) -> ArticlePage:
    page = make_article(**values)  # type: ignore[arg-type]
    ArticlePage.objects.filter(pk=page.pk).update(first_published_at=NOON + timedelta(hours=hours))
    page.refresh_from_db()
    return page


def around(page: ArticlePage) -> tuple[str, ...]:
    return tuple(found.title if found else "" for found in listings.neighbours(page))


def test_they_are_the_nearest_in_time():
    far, near, page, next_, last = (published(n, title=str(n)) for n in (-9, -1, 0, 1, 9))
    assert around(page) == (near.title, next_.title)
    assert around(far) == ("", near.title)
    assert around(last) == (next_.title, "")


def test_of_one_moment_the_order_of_writing_decides():
    first, second, third = (published(0, title=str(n)) for n in range(3))
    assert [around(page) for page in (first, second, third)] == [("", "1"), ("0", "2"), ("1", "")]


def test_only_what_readers_find_in_this_language_is_named():
    page = published(0)
    published(-1, locale="en")
    draft = published(1)
    ArticlePage.objects.filter(pk=draft.pk).update(live=False)
    gone = published(-2)
    ArticlePage.objects.filter(pk=gone.pk).update(withdrawn_at=NOON)
    assert around(page) == ("", "")
    shown = published(-3)
    earlier, _later = listings.neighbours(page)
    assert earlier is not None
    assert earlier.path.endswith(f"/{shown.slug}/")


def test_what_was_never_published_has_none():
    assert listings.neighbours(make_article(live=False)) == (None, None)
