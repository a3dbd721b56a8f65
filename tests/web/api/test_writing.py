"""Writing over the API: one's own works and no others, nobody's changes written over."""

from __future__ import annotations

import pytest

from sishu.accounts import roles
from sishu.commerce.models import Offer
from sishu.content.models import ArticlePage, Category
from sishu.jobs import runner
from tests.factories.content import LONG_ENOUGH, judge, make_article, make_creator, make_person, make_picture
from tests.web.api.programs import Program, is_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

PAID = '\n\n```sishu:paywall\n{"tier": "PAID"}\n```\n\n后文。'


def test_a_work_is_begun_changed_submitted_and_taken_back():
    Category.add_root(slug="rooms", name_zh="房间", name_en="Rooms")
    program = Program(make_creator())
    fields = {"title": "书房", "summary": "一间。", "category": "rooms", "tags": ["书"], "markdown": LONG_ENOUGH}
    begun = program.post("/writing", {**fields, "language": "en"})
    assert begun.status_code == 201
    draft = begun.json()
    assert (draft["language"], draft["category"], draft["tags"]) == ("en", "rooms", ["书"])
    assert draft["review"]["status"] == "draft"
    path = f"/writing/{draft['id']}"
    saved = program.put(path, {**fields, "title": "大书房", "version": draft["version"]}).json()
    assert (saved["title"], saved["version"] > draft["version"]) == ("大书房", True)
    assert program.get(path).json() == saved
    assert program.post(f"{path}/submit").json()["status"] == "in_review"
    assert is_problem(program.put(path, {**fields, "version": saved["version"]}), 409, "in_review")
    assert program.get(f"{path}/review").json()["status"] == "in_review"
    assert program.post(f"{path}/take-back").json()["status"] == "draft"
    (row,) = program.get("/writing").json()["items"]
    assert (row["id"], row["title"], row["is_live"]) == (draft["id"], "大书房", False)


def test_a_change_made_elsewhere_is_not_written_over():
    program = Program(make_creator())
    draft = program.post("/writing", {"title": "书房", "markdown": "一。"}).json()
    path = f"/writing/{draft['id']}"
    newer = program.put(path, {"title": "书房", "markdown": "二。", "version": draft["version"]}).json()
    assert is_problem(
        program.put(path, {"title": "书房", "markdown": "三。", "version": draft["version"]}), 409, "changed_elsewhere"
    )
    assert program.get(path).json() == newer


@pytest.mark.parametrize(
    ("method", "below", "data"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "mine now", "version": 1}),
        ("POST", "/submit", None),
        ("POST", "/take-back", None),
        ("GET", "/review", None),
        ("PUT", "/price", {"amount": 1}),
        ("DELETE", "/price", None),
    ],
)
def test_anothers_work_is_not_there(method, below, data):
    work = make_article(make_creator(), live=False)
    before = ArticlePage.objects.get(pk=work.pk).latest_revision_id
    for other in (make_creator(), make_person()):
        assert is_problem(Program(other).send(method, f"/writing/{work.pk}{below}", data), 404, "not_found")
    assert is_problem(Program().send(method, f"/writing/{work.pk}{below}", data), 401, "not_signed_in")
    assert ArticlePage.objects.get(pk=work.pk).latest_revision_id == before
    assert not Offer.objects.exists()


def test_who_may_not_publish_is_told_the_way_out():
    refused = Program(make_person(), **{"Accept-Language": "en"}).post("/writing", {"title": "书房"})
    assert is_problem(refused, 403, "not_allowed")
    assert "by invitation" in refused.json()["detail"]
    assert not ArticlePage.objects.exists()


def test_who_sends_an_author_or_a_state_is_not_heard():
    victim, program = make_person(), Program(make_creator())
    sent = {"title": "书房", "owner": victim.pk, "author": victim.pk, "live": True, "status": "live", "price": 1}
    draft = program.post("/writing", sent).json()
    page = ArticlePage.objects.get(pk=draft["id"])
    assert (page.live, page.authorships.get().user == victim, page.owner == victim) == (False, False, False)
    assert not Offer.objects.exists()


def test_what_cannot_be_kept_is_refused_by_name():
    program = Program(make_creator())
    theirs = make_picture(make_creator())
    for wrong, code in (
        ({"title": " "}, "title"),
        ({"title": "书房", "category": "nowhere"}, "category"),
        ({"title": "书房", "cover_id": theirs.pk}, "uploads"),
        ({"title": "x" * 121}, "invalid"),
        ({"title": "书房", "language": "fr"}, "invalid"),
        ({}, "invalid"),
    ):
        assert is_problem(program.post("/writing", wrong), 422, code)
    assert not ArticlePage.objects.exists()


def test_the_price_of_a_work_with_something_to_sell():
    program = Program(make_creator())
    path = f"/writing/{program.post('/writing', {'title': '书房', 'markdown': LONG_ENOUGH}).json()['id']}"
    assert is_problem(program.put(f"{path}/price", {"amount": 990}), 422, "price")
    version = program.get(path).json()["version"]
    program.put(path, {"title": "书房", "markdown": LONG_ENOUGH + PAID, "version": version})
    assert program.put(f"{path}/price", {"amount": 990}).json()["price"] == {"amount": 990, "currency": "CNY"}
    assert program.get(path).json()["offer"]["price"]["amount"] == 990
    for amount in (-1, 10**9, 9.5, "free", None):
        assert is_problem(program.put(f"{path}/price", {"amount": amount}), 422, "invalid")
    assert program.delete(f"{path}/price").status_code == 204
    assert program.get(path).json()["offer"] is None


def test_who_is_no_creator_any_more_changes_nothing_that_is_live():
    creator = make_creator()
    program = Program(creator)
    path = f"/writing/{program.post('/writing', {'title': '书房', 'markdown': LONG_ENOUGH + PAID}).json()['id']}"
    version = program.get(path).json()["version"]
    assert program.put(f"{path}/price", {"amount": 990}).status_code == 200
    roles.revoke(creator, roles.CREATOR)
    changed = {"title": "改了", "markdown": LONG_ENOUGH, "version": version}
    for refused in (
        program.put(path, changed),
        program.put(f"{path}/price", {"amount": 0}),
        program.delete(f"{path}/price"),
    ):
        assert is_problem(refused, 403, "not_allowed")
    assert Offer.objects.get(is_open=True).amount == 990
    assert ArticlePage.objects.get().get_latest_revision().pk == version


def test_a_refused_work_says_why():
    creator, reviewer = make_creator(), make_person(role="reviewer")
    program = Program(creator)
    draft = program.post("/writing", {"title": "书房", "markdown": LONG_ENOUGH}).json()
    program.post(f"/writing/{draft['id']}/submit")
    runner.run_due()  # the first checks
    judge(ArticlePage.objects.get(pk=draft["id"]), reviewer, "reject", "请补一节。")
    review = program.get(f"/writing/{draft['id']}/review").json()
    assert (review["status"], review["reasons"]) == ("needs_changes", "请补一节。")
