"""Works, shelves and offers over the API: a body ends where its reader's level does."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone
from wagtail.models import PageViewRestriction

from sishu.content.models import ArticlePage, Category
from sishu.jobs import runner
from tests.factories.commerce import buy, make_offer, make_plan
from tests.factories.content import make_article, make_creator, make_house, make_person, paywall, prose
from tests.web.api.programs import Program, is_problem

pytestmark = pytest.mark.django_db

BODY = [
    prose("晨光照在**书案**上。"),
    paywall("SIGNED_IN"),
    prose("中庭有树。"),
    paywall("PAID"),
    prose("## 密室\n\n藏书在此。"),
]


@pytest.fixture
def work() -> ArticlePage:
    make_house()
    return make_article(make_creator("shen"), title="书房", summary="一间书房。", body=BODY)


def test_a_stranger_reads_to_the_first_paywall_and_sees_what_would_open_the_rest(work):
    offer, plan = make_offer(work), make_plan()
    answer = Program().get(f"/works/{work.pk}")
    found = answer.json()
    assert (found["reader_level"], found["next_level"], found["level"]) == ("public", "signed_in", "paid")
    assert "<strong>书案</strong>" in found["body_html"]
    assert found["body_markdown"].strip() == "晨光照在**书案**上。"
    assert not any(word in answer.content.decode() for word in ("中庭有树", "藏书在此"))
    assert [part["heading"] for part in found["remaining"]] == ["", "密室"]
    assert found["price"] == {"amount": 990, "currency": "CNY"}
    assert [(one["id"], one["interval"], one["work_id"]) for one in found["offers"]] == [
        (offer.pk, "once", work.pk),
        (plan.pk, "month", None),
    ]
    assert found["authors"][0]["name"] == "shen"
    assert answer["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert {"Cookie", "Authorization", "Accept-Language"} <= set(answer["Vary"].split(", "))


@pytest.mark.money
def test_levels_open_what_they_open_and_nobody_keeps_the_answer(work):
    reader = make_person()
    offer = make_offer(work)
    signed_in = Program(reader, scope="read").get(f"/works/{work.pk}")
    assert "中庭有树" in signed_in.json()["body_html"]
    assert "藏书在此" not in signed_in.content.decode()
    buy(reader, offer)
    bought = Program(reader, scope="read").get(f"/works/{work.pk}")
    assert "藏书在此" in bought.json()["body_markdown"]
    assert (bought.json()["next_level"], bought.json()["remaining"]) == (None, [])
    assert signed_in["Cache-Control"] == bought["Cache-Control"] == "private, no-store"


def test_a_session_reads_as_its_person_does(work):
    program = Program()
    program.client.force_login(make_person())
    answer = program.get(f"/works/{work.pk}")
    assert answer.json()["reader_level"] == "signed_in"
    assert answer["Cache-Control"] == "private, no-store"


def test_drafts_private_pages_and_what_does_not_exist_look_the_same(work):
    draft = make_article(title="未成稿", live=False)
    PageViewRestriction.objects.create(page=work.page_ptr, restriction_type=PageViewRestriction.LOGIN)
    for key in (draft.pk, work.pk, work.get_parent().pk, 99_999, 2**63 - 1):
        assert is_problem(Program().get(f"/works/{key}"), 404, "not_found")


@pytest.mark.money
def test_a_withdrawn_work_is_gone_for_all_but_its_owners(work):
    reader = make_person()
    buy(reader, make_offer(work))
    ArticlePage.objects.filter(pk=work.pk).update(withdrawn_at=timezone.now())
    assert is_problem(Program().get(f"/works/{work.pk}"), 410, "gone")
    assert "藏书在此" in Program(reader).get(f"/works/{work.pk}").json()["body_html"]
    assert Program().get("/works").json()["items"] == []


@pytest.mark.full_text
def test_lists_are_filtered_searched_and_paged(work):
    shelf = Category.add_root(slug="rooms", name_zh="房间", name_en="Rooms")
    english = make_article(title="The study", locale="en", category=shelf, body=[prose("Light on the desk. " * 20)])
    english.tags.add("light")
    english.save()
    english.save_revision().publish()
    make_offer(english)
    runner.run_due()  # writes the search index
    list_of = lambda **query: [one["id"] for one in Program().get("/works", **query).json()["items"]]  # noqa: E731
    assert list_of() == [english.pk, work.pk]
    assert list_of(language="en") == list_of(category="rooms") == list_of(tag="light") == [english.pk]
    assert list_of(query="书案") == [work.pk]
    assert list_of(query="藏书") == [], "a hidden word is no answer"
    assert list_of(category="nowhere") == list_of(tag="nothing") == []
    second = Program().get("/works", page=2, per_page=1).json()
    assert ([one["id"] for one in second["items"]], second["total"], second["page"]) == ([work.pk], 2, 2)
    assert list_of(page=10_000, per_page=100) == []
    row = Program(**{"Accept-Language": "en"}).get("/works", language="en").json()["items"][0]
    assert (row["category"], row["tags"], row["price"]["amount"]) == (
        {"slug": "rooms", "name": "Rooms"},
        ["light"],
        990,
    )
    assert [one["slug"] for one in Program().get("/categories").json()["items"]] == ["rooms"]


def test_a_translation_is_named_with_its_id(work):
    other = work.copy_for_translation(make_article(locale="en").locale, copy_parents=True)
    other.save_revision().publish()
    (found,) = Program().get(f"/works/{work.pk}").json()["translations"]
    assert (found["id"], found["language"]) == (other.pk, "en")


def test_offers_are_those_that_anyone_can_buy_now(work):
    offer, drafted = make_offer(work), make_offer(make_article(title="未成稿", live=False))
    assert [one["id"] for one in Program().get("/offers").json()["items"]] == [offer.pk]
    assert Program().get(f"/offers/{offer.pk}").json()["price"] == {"amount": 990, "currency": "CNY"}
    assert is_problem(Program().get(f"/offers/{drafted.pk}"), 404, "not_found")


def test_the_description_is_openapi_in_the_language_asked_for_and_the_page_prints_it(work):
    client = Program().client
    english, chinese = (
        client.get("/api/v1/openapi.json", headers={"Accept-Language": language}).json() for language in ("en", "zh")
    )
    assert english["openapi"].startswith("3.1")
    assert english["paths"].keys() == chinese["paths"].keys()
    page = client.get("/api/docs", headers={"Accept-Language": "en"})
    shown = page.content.decode()
    assert page.status_code == 200
    assert all(path in shown for path in english["paths"])
    assert all(f'id="type-{name}"' in shown for name in english["components"]["schemas"])
    assert "<script>" not in shown
    assert "style=" not in shown
    assert json.dumps(english).count("application/problem+json") > 100
