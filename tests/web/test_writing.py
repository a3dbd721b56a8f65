"""The writer's desk, by page and by program: who may sit there, the contract, the sheet."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from sishu.accounts import roles
from sishu.commerce.models import Offer
from sishu.content import workflow, writing
from sishu.content.models import ArticlePage, Category
from tests.factories import content as make
from tests.web.desk import SOLD, TEXT, WORK, form, send, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"


# --- Who may sit here ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/publish", "/writing", "/edit/1", "/edit/1/preview?as=buyer"])
def test_a_stranger_signs_in_first(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/login?next=/")
    assert client.get(path, headers={"accept": "application/json"}).status_code == 401


def test_who_may_not_publish_is_told_the_way(client):
    client.force_login(make.make_person())
    for response in (client.get("/publish"), client.post("/publish", WORK), send(client, "/publish", WORK)):
        assert response.status_code == 403
    assert "邀请" in response.json()["message"] or "invitation" in response.json()["message"]
    assert not ArticlePage.objects.exists()


def test_an_unverified_address_is_told_the_way(client, shen):
    shen.emailaddress_set.update(verified=False)
    client.force_login(shen)
    response = send(client, "/publish", WORK)
    assert response.status_code == 403
    assert shen.email in response.json()["message"]


@pytest.mark.parametrize(
    "suffix", ["", "/autosave", "/withdraw", "/restore", "/take-back", "/coauthors", "/translation"]
)
def test_nobody_touches_the_work_of_another(client, shen, suffix):
    page = make.make_article(shen)
    before = ArticlePage.objects.filter(pk=page.pk).values().get()
    client.force_login(make.make_creator("he"))
    values = {"title": "夺来的", "body": "x", "coauthor": "he", "author": "he", "version": page.latest_revision_id}
    for response in (client.post(f"/edit/{page.pk}{suffix}", values), send(client, f"/edit/{page.pk}{suffix}", values)):
        assert response.status_code == 404
    assert ArticlePage.objects.filter(pk=page.pk).values().get() == before
    client.force_login(shen)  # the same request from its author is heard
    assert client.post(f"/edit/{page.pk}{suffix}", form(page)).status_code != 404


@pytest.mark.parametrize("path", ["/edit/{}", "/edit/{}/preview?as=buyer"])
def test_another_creators_work_is_not_there(client, shen, path):
    page = make.make_article(shen, live=False)
    client.force_login(make.make_creator("he"))
    assert client.get(path.format(page.pk)).status_code == 404
    assert client.get(path.format(2**63)).status_code == 404
    assert client.get(path.format("9" * 900)).status_code == 404


# --- The contract -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "says"), [("zh-hans", "已提交审核"), ("en", "Submitted for review.")])
def test_a_program_hands_a_work_in(desk, shen, language, says):
    response = send(
        desk, "/publish", {"title": "复盘", "content": TEXT, "tags": ["账"]}, **{"accept-language": language}
    )
    answer = response.json()
    assert (response.status_code, answer["message"], answer["review_status"]) == (202, says, "in_review")
    assert work().authorships.get().user == shen
    assert not work().live
    assert writing.latest_values(work())[0].tags == ("账",)


def test_what_needs_no_reviewer_is_live_at_once(client):
    client.force_login(make.make_person("owner", role=roles.OWNER))
    response = send(client, "/publish", WORK, **{"accept-language": "zh"})
    assert (response.status_code, response.json()["message"]) == (201, "发布成功")
    assert Client().get(response.json()["page"]).status_code == 200


def test_the_rules_look_at_what_needs_no_reviewer_too(client):
    client.force_login(make.make_person("owner", role=roles.OWNER))
    response = send(client, "/publish", {"title": "短", "body": "太短"})
    assert response.status_code == 422
    assert not ArticlePage.objects.exists()


def test_a_draft_is_kept_and_edited_by_version(desk):
    response = send(desk, "/publish", {**WORK, "draft": True})
    assert (response.status_code, response.json()["review_status"]) == (201, "draft")
    key, version = response.json()["id"], response.json()["version"]
    edited = send(desk, f"/edit/{key}", {"title": "新题", "version": version}, **{"accept-language": "zh"})
    assert (edited.status_code, edited.json()["message"]) == (200, "编辑成功")
    assert edited.json()["version"] > version
    assert writing.latest_values(work())[0].markdown == TEXT, "what was not sent stays"
    stale = send(desk, f"/edit/{key}", {"title": "旧", "version": version})
    assert stale.status_code == 409
    assert stale.json()["version"] == edited.json()["version"]
    assert stale.json()["who"]
    assert stale.json()["when"]
    assert writing.latest_values(work())[0].title == "新题"


def test_nobody_says_who_wrote_it_or_that_it_is_live(desk, shen):
    other = make.make_creator("he")
    claims = {
        "author": "he", "user_id": other.pk, "owner": other.pk, "status": "live", "live": True, "id": 1, "path": "0001",
        "slug": "x", "shares": {other.pk: 100}, f"share_{other.pk}": "100", "translation_key": "0" * 32,
    }  # fmt: skip
    send(desk, "/publish", {**WORK, **claims})
    page = work()
    assert (page.owner, page.live, page.authorships.get().user) == (shen, False, shen)
    send(desk, f"/edit/{page.pk}", {**claims, "title": "再来"})
    page.refresh_from_db()
    assert (page.owner, page.live, page.authorships.get().user) == (shen, False, shen)


ODD = {
    "no title": {"body": TEXT},
    "no text": {"title": "x"},
    "a number for a title": {"title": 7, "body": TEXT},
    "a list for a body": {"title": "x", "body": [TEXT]},
    "a long title": {"title": "长" * 121, "body": TEXT},
    "a category beyond measure": {**WORK, "category": 2**70},
    "no such category": {**WORK, "category": "nowhere"},
    "a truth for a category": {**WORK, "category": True},
    "an object for tags": {**WORK, "tags": {"a": 1}},
    "too many tags": {**WORK, "tags": [str(n) for n in range(11)]},
    "another's cover": {**WORK, "cover_id": 4711},
    "a language not spoken here": {**WORK, "language": "tlh"},
    "a price in words": {"title": "x", "body": SOLD, "price": "ten"},
    "a comma for a point": {"title": "x", "body": SOLD, "price": "9,90"},
    "a negative price": {"title": "x", "body": SOLD, "price": "-1"},
    "a price beyond measure": {"title": "x", "body": SOLD, "price": "9" * 400},
    "a price not finite": {"title": "x", "body": SOLD, "price": 1e308},
    "half a cent": {"title": "x", "body": SOLD, "price": "9.905"},
    "nothing to sell": {**WORK, "price": "9.90"},
    "a version in words": {**WORK, "version": "last"},
    "a paywall nobody can read": {"title": "x", "body": TEXT + "\n\n```sishu:paywall\nPAID\n```"},
    "a tier nobody knows": {"title": "x", "body": TEXT + '\n\n```sishu:paywall\n{"tier": "GOLD"}\n```'},
    "an unknown block": {"title": "x", "body": TEXT + "\n\n```sishu:spell\n{}\n```"},
}


@pytest.mark.parametrize("values", ODD.values(), ids=ODD.keys())
def test_what_cannot_be_kept_is_refused_with_the_reason(desk, values):
    response = send(desk, "/publish", values)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"]
    assert response.json()["message"]
    assert not ArticlePage.objects.exists(), "all of it or nothing"
    assert send(desk, "/publish", WORK).status_code == 202, "the same writer is heard otherwise"


@pytest.mark.parametrize("path", ["/publish", "/publish/autosave"])
def test_a_body_too_large_is_refused(desk, path):
    values = {"title": "x", "body": "长" * 800_000}
    assert send(desk, path, values).status_code == 413
    assert desk.post(path, values).status_code in (413, 422)
    assert not ArticlePage.objects.exists()


def test_a_fence_that_cannot_be_read_is_named(desk):
    body = TEXT + "\n\n```sishu:paywall\nPAID\n```"
    answer = send(desk, "/publish", {"title": "x", "body": body}).json()
    assert "sishu:paywall" in answer["message"]
    assert send(desk, "/publish", {"title": "x", "body": body, "draft": True}).status_code == 201, "a draft may wait"


# --- The sheet ----------------------------------------------------------------------------------------------------------


def test_a_form_begins_a_work_and_comes_back_to_it(desk):
    assert "<sishu-editor" in desk.get("/publish").content.decode()
    shelf = Category.add_root(slug="money", name_zh="钱", name_en="Money")
    values = {**WORK, "summary": "一句话", "tags": "账，复盘", "category": shelf.pk, "do": "save", "language": "en"}
    response = desk.post("/publish", values, follow=True)
    page = work()
    assert response.redirect_chain == [(f"/edit/{page.pk}", 302)]
    kept = writing.latest_values(page)[0]
    assert (kept.title, kept.summary, kept.category_id, set(kept.tags)) == ("复盘", "一句话", shelf.pk, {"账", "复盘"})
    assert page.locale.language_code == "en"
    shown = response.content.decode()
    assert "复盘" in shown
    assert "editor.js" in shown
    assert "style=" not in shown
    assert not re.search(r"<script(?![^>]*src=)", shown)


def test_a_text_keeps_its_ends(desk):
    body = "    开头是代码\n\n" + TEXT
    desk.post("/publish", {"title": "x", "body": body, "do": "save"})
    assert writing.latest_values(work())[0].markdown == body
    assert html.escape(body) in desk.get(f"/edit/{work().pk}").content.decode()


def test_one_sheet_begins_one_work_however_often_it_is_sent(desk):
    sheet = {**WORK, "begun": "4f0c2a52", "version": "", "do": "save"}
    assert desk.post("/publish/autosave", sheet, headers={"accept": "application/json"}).status_code == 200
    for _again in range(2):
        assert desk.post("/publish", sheet).status_code == 302
    assert work().revisions.count() == 1
    conflict = desk.post("/publish", {**sheet, "title": "别的"})
    assert conflict.status_code == 409, "an old sheet does not write over what came after it"
    assert "别的" in conflict.content.decode()
    he = make.make_creator("he")
    desk.force_login(he)
    desk.post("/publish", sheet)
    assert (
        ArticlePage.objects.filter(owner=he).get().translation_key
        != ArticlePage.objects.exclude(owner=he).get().translation_key
    )


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(desk):
    response = desk.post("/publish", {"title": "", "body": "我的字", "price": "9.90", "do": "save"})
    assert response.status_code == 422
    assert "我的字" in response.content.decode()
    assert not ArticlePage.objects.exists()


def test_autosave_keeps_the_text_and_leaves_the_price(desk, shen):
    answer = desk.post(
        "/publish/autosave", {"title": "t", "body": SOLD, "price": "5"}, headers={"accept": "application/json"}
    ).json()
    page = work()
    assert answer["location"] == f"/edit/{page.pk}"
    assert answer["url"] == f"/edit/{page.pk}/autosave"
    later = desk.post(answer["url"], {"title": "u", "version": answer["version"], "price": "1", "do": "submit"}).json()
    assert later["version"] > answer["version"]
    assert writing.latest_values(page)[0].title == "u"
    assert not Offer.objects.exists()
    assert workflow.review_state(page).status == "draft"


def test_a_change_made_elsewhere_is_shown_and_never_written_over(desk, shen):
    page = make.make_article(shen, live=False)
    stale = form(page, title="我的题", body="我的字" * 40)
    writing.save_draft(page, shen, writing.DraftValues(title="别处的题", markdown=TEXT), stale["version"])
    for response in (desk.post(f"/edit/{page.pk}/autosave", stale), desk.post(f"/edit/{page.pk}", stale)):
        assert response.status_code == 409
    shown = response.content.decode()
    assert "我的字" in shown
    assert f'href="/edit/{page.pk}" target="_blank"' in shown
    assert writing.latest_values(page)[0].title == "别处的题"


def test_a_button_and_its_own_autosave_do_not_collide(desk, shen):
    page = make.make_article(shen, live=False)
    both = form(page, title="同一句")
    assert desk.post(f"/edit/{page.pk}/autosave", both).status_code == 200
    assert desk.post(f"/edit/{page.pk}", both).status_code == 302


def test_previews_stop_where_their_reader_would(desk, shen):
    body = [
        make.prose("谁都读得到"),
        make.paywall("SIGNED_IN"),
        make.prose("登录才有"),
        make.paywall("PAID"),
        make.prose("买了才有"),
    ]
    page = make.make_article(shen, body=body, live=False)
    for reader, sees in (("stranger", 1), ("signed-in", 2), ("buyer", 3)):
        response = desk.get(f"/edit/{page.pk}/preview?as={reader}")
        shown = response.content.decode()
        assert [text in shown for text in ("谁都读得到", "登录才有", "买了才有")] == [True, sees > 1, sees > 2]
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert desk.get(f"/edit/{page.pk}/preview?as=owner").status_code == 404


def test_html_in_every_field_is_inert(desk, shen, client):
    values = {
        "title": EVIL[:119],
        "summary": EVIL,
        "body": f"{EVIL}\n\n{TEXT}",
        "tags": EVIL.replace(",", "")[:28],
        "do": "save",
    }
    desk.post("/publish", values)
    page = work()
    page.get_latest_revision().publish()
    page.refresh_from_db()
    shen.display_name = EVIL[:30]
    shen.save()
    for reply in (
        Client().get(page.get_url()),
        desk.get(f"/edit/{page.pk}"),
        desk.get(f"/edit/{page.pk}/preview?as=buyer"),
        desk.get("/writing"),
    ):
        assert reply.status_code == 200
        shown = reply.content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "script-src 'self'" in reply["Content-Security-Policy"]
