"""Works as the hot pages read them, by statements written by hand: the same as the ORM has them."""

from __future__ import annotations

import pytest
from django.utils import translation
from wagtail.models import PageViewRestriction

from sishu.content import house, selectors
from sishu.content.models import ArticlePage, Authorship, Category
from sishu.core import clock
from tests.factories.content import make_article, make_creator, make_person, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

SHOWN = (
    "pk", "id", "path", "depth", "numchild", "content_type_id", "translation_key", "locale_id", "title", "slug",
    "url_path", "live", "first_published_at", "last_published_at", "summary", "cover_id", "category_id", "word_count",
    "reading_minutes", "level", "withdrawn_at",
)  # fmt: skip


def shown(works: list[ArticlePage]) -> list[tuple[object, ...]]:
    return [tuple(getattr(work, name) for name in SHOWN) for work in works]


def test_the_newest_works_are_the_first_of_the_published_ones(django_assert_num_queries) -> None:
    shelf = Category(slug="ledgers", name_zh="账本", name_en="Ledgers")
    shelf.save()
    plain, full = make_article(), make_article(category=shelf, summary="Of ledgers.")
    ArticlePage.objects.filter(pk=full.pk).update(cover=make_picture())
    ArticlePage.objects.filter(pk=make_article().pk).update(withdrawn_at=clock.now())
    make_article(live=False), make_article(locale="en")
    expected = list(selectors.for_list(selectors.published("zh-hans")))
    with django_assert_num_queries(1):
        works = selectors.newest("zh-hans", 8)
        assert shown(works) == shown(expected)
        assert [work.pk for work in works] == [full.pk, plain.pk]
        assert [work.category for work in works] == [shelf, None]
        assert works[0].category.name == "账本"
        assert [bool(work.cover) for work in works] == [True, False]
        assert works[0].cover.address(480) == expected[0].cover.address(480)
        assert {work.locale.language_code for work in works} == {"zh-hans"}
        assert all("body" in work.get_deferred_fields() for work in works)
    assert [work.pk for work in selectors.newest("zh-hans", 1)] == [full.pk]


def test_at_a_slug_stand_live_works_and_their_other_languages() -> None:
    work = make_article(title="Moon")
    twin = make_article(locale="en", title="Other")
    ArticlePage.objects.filter(pk=twin.pk).update(translation_key=work.translation_key)
    make_article(live=False, title="Draft")
    assert {found.pk for found in selectors.with_slug(work.slug, "zh-hans")} == {work.pk, twin.pk}
    assert selectors.with_slug(work.slug, "en") == []
    assert selectors.with_slug("draft", "zh-hans") == []


def test_what_wagtail_keeps_private_by_what_stands_above_is_not_at_its_slug() -> None:
    work, other = make_article(), make_article()
    PageViewRestriction.objects.create(page=work.get_parent(), restriction_type=PageViewRestriction.LOGIN)
    assert selectors.with_slug(work.slug, "zh-hans") == []
    assert [found.pk for found in selectors.with_slug(other.slug, "zh-hans")] == [other.pk]


def test_credits_name_authors_as_the_language_of_the_work_does(django_assert_num_queries) -> None:
    shen = make_creator("shen")
    he, guest = make_person("he", display_name="何"), make_person("guest")
    work, english, alone = make_article(shen), make_article(shen, locale="en"), make_article()
    room = house.ensure_hub(shen, "en")
    room.title = "Shen of the moon"
    room.save_revision().publish()
    Authorship.objects.create(page=work, user=guest, role=Authorship.Role.COAUTHOR)
    Authorship.objects.create(page=work, user=he, role=Authorship.Role.COAUTHOR)
    with django_assert_num_queries(1):
        found = selectors.credits_of([work.pk, english.pk])
    assert [credit.name for credit in found[work.pk]] == ["shen", "guest", "何"]
    assert [bool(credit.room_path) for credit in found[work.pk]] == [True, False, False]
    assert found[english.pk] == [selectors.Credit("Shen of the moon", room.url_path)]
    assert alone.pk not in found
    with django_assert_num_queries(0):
        assert selectors.credits_of([]) == {}


def test_a_room_that_is_not_live_names_nobody() -> None:
    shen = make_creator("shen")
    work = make_article(shen)
    work.get_parent().unpublish()
    assert selectors.credits_of([work.pk]) == {work.pk: [selectors.Credit("shen", "")]}


def test_a_shelf_is_named_in_the_language_of_the_moment() -> None:
    shelf = Category(slug="ledgers", name_zh="账本", name_en="Ledgers")
    shelf.save()
    make_article(category=shelf)
    (work,) = selectors.newest("zh-hans", 8)
    with translation.override("en"):
        assert work.category.name == "Ledgers"
