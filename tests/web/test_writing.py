"""The writer's desk, by page and by program."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sishu.accounts import roles
from sishu.commerce import orders
from sishu.commerce.models import Offer
from sishu.content import dialect, workflow, writing
from sishu.content.models import ArticlePage, Authorship, Category
from sishu.core.errors import Missing
from sishu.jobs import runner
from sishu.reactions.worker import deliver_due
from tests.factories import content as make

pytestmark = pytest.mark.django_db

TEXT = make.LONG_ENOUGH
SOLD = dialect.to_markdown([make.prose(TEXT), make.paywall("PAID"), make.prose("付费的部分。")])
WORK = {"title": "复盘", "body": TEXT}
EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'{{ 7*7 }}'


@pytest.fixture(autouse=True)
def _house():
    make.make_house()


@pytest.fixture
def shen():
    return make.make_creator("shen")


@pytest.fixture
def desk(client: Client, shen) -> Client:
    client.force_login(shen)
    return client


def send(client: Client, path: str, data: Any, **headers: str) -> Any:
    body = data if isinstance(data, bytes) else json.dumps(data)
    return client.post(path, body, content_type="application/json", headers=headers)


def work() -> ArticlePage:
    return ArticlePage.objects.get()


def form(page: ArticlePage, **changes: object) -> dict[str, object]:
    """What a browser sends back of an untouched sheet."""
    values, version = writing.latest_values(page)
    fields: dict[str, object] = {
        "title": values.title, "summary": values.summary, "body": values.markdown, "tags": ", ".join(values.tags),
        "category": values.category_id or "", "cover_id": values.cover_id or "", "version": version, "do": "save",
    }  # fmt: skip
    return fields | changes


def settle() -> None:
    """Let the worker do what is due."""
    for _round in range(4):
        deliver_due()
        runner.run_due()


def sell(page: ArticlePage, price: str = "9.90") -> Offer:
    owner = Client()
    owner.force_login(page.owner)
    assert owner.post(f"/edit/{page.pk}", form(page, price=price)).status_code == 302
    return Offer.objects.get(is_open=True)


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


@pytest.mark.parametrize("suffix", ["", "/autosave", "/withdraw", "/restore", "/take-back", "/coauthors", "/translation"])
def test_nobody_touches_the_work_of_another(client, shen, suffix):
    """The sample code behind the spec let anyone edit anything."""
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
    response = send(desk, "/publish", {"title": "复盘", "content": TEXT, "tags": ["账"]}, **{"accept-language": language})
    answer = response.json()
    assert (response.status_code, answer["message"], answer["state"]) == (202, says, "in_review")
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
    assert (response.status_code, response.json()["state"]) == (201, "draft")
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
    assert ArticlePage.objects.filter(owner=he).get().translation_key != ArticlePage.objects.exclude(owner=he).get().translation_key


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(desk):
    response = desk.post("/publish", {"title": "", "body": "我的字", "price": "9.90", "do": "save"})
    assert response.status_code == 422
    assert "我的字" in response.content.decode()
    assert not ArticlePage.objects.exists()


def test_autosave_keeps_the_text_and_leaves_the_price(desk, shen):
    answer = desk.post("/publish/autosave", {"title": "t", "body": SOLD, "price": "5"}, headers={"accept": "application/json"}).json()
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
    body = [make.prose("谁都读得到"), make.paywall("SIGNED_IN"), make.prose("登录才有"), make.paywall("PAID"), make.prose("买了才有")]
    page = make.make_article(shen, body=body, live=False)
    for reader, sees in (("stranger", 1), ("signed-in", 2), ("buyer", 3)):
        response = desk.get(f"/edit/{page.pk}/preview?as={reader}")
        shown = response.content.decode()
        assert [text in shown for text in ("谁都读得到", "登录才有", "买了才有")] == [True, sees > 1, sees > 2]
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert desk.get(f"/edit/{page.pk}/preview?as=owner").status_code == 404


def test_html_in_every_field_is_inert(desk, shen, client):
    values = {"title": EVIL[:119], "summary": EVIL, "body": f"{EVIL}\n\n{TEXT}", "tags": EVIL.replace(",", "")[:28], "do": "save"}
    desk.post("/publish", values)
    page = work()
    page.get_latest_revision().publish()
    page.refresh_from_db()
    shen.display_name = EVIL[:30]
    shen.save()
    for reply in (Client().get(page.get_url()), desk.get(f"/edit/{page.pk}"), desk.get(f"/edit/{page.pk}/preview?as=buyer"), desk.get("/writing")):
        assert reply.status_code == 200
        shown = reply.content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "script-src 'self'" in reply["Content-Security-Policy"]


# --- Review -------------------------------------------------------------------------------------------------------------


def test_from_the_sheet_to_the_reader(desk, shen):
    reviewer = make.make_person("lin", role=roles.REVIEWER)
    desk.post("/publish", {**WORK, "do": "submit"})
    page = work()
    assert desk.post(f"/edit/{page.pk}", form(page, title="改")).status_code == 409, "not under the reviewer's eyes"
    settle()
    assert [(sent.to, page.draft_title in sent.subject) for sent in mail.outbox] == [([reviewer.email], True)]
    mail.outbox.clear()
    workflow.reject(page, reviewer, "第二段说不清")
    settle()
    assert mail.outbox[0].to == [shen.email]
    assert "第二段说不清" in mail.outbox[0].body
    assert f"/edit/{page.pk}" in mail.outbox[0].body
    assert "第二段说不清" in desk.get(f"/edit/{page.pk}").content.decode()
    assert "第二段说不清" in desk.get("/writing").content.decode()
    mail.outbox.clear()
    desk.post(f"/edit/{page.pk}", form(page, body=TEXT + "说清了。", do="submit"))
    settle()
    workflow.approve(page, reviewer)
    settle()
    assert [sent.to for sent in mail.outbox] == [[reviewer.email], [shen.email]]
    page.refresh_from_db()
    assert page.live


def test_a_work_in_review_can_be_taken_back(desk, shen):
    desk.post("/publish", {**WORK, "do": "submit"})
    page = work()
    assert "<sishu-editor" not in desk.get(f"/edit/{page.pk}").content.decode()
    assert desk.post(f"/edit/{page.pk}/take-back").status_code == 302
    assert workflow.review_state(page).status == "draft"
    assert "<sishu-editor" in desk.get(f"/edit/{page.pk}").content.decode()


# --- Price and parts ----------------------------------------------------------------------------------------------------


def test_a_price_is_set_changed_and_taken_away(desk, shen):
    desk.post("/publish", {"title": "卖的", "body": SOLD, "price": "¥9.90", "do": "save"})
    page, offer = work(), Offer.objects.get()
    assert (offer.amount, offer.currency, offer.title) == (990, "CNY", "卖的")
    assert [(share.payee, share.share_bps) for share in offer.shares.all()] == [(shen, 9000)]
    desk.post(f"/edit/{page.pk}", form(page, price="0"))
    assert Offer.objects.get().amount == 0
    desk.post(f"/edit/{page.pk}", form(page, price="1,200.5"))
    assert Offer.objects.get(is_open=True).amount == 120050
    desk.post(f"/edit/{page.pk}", form(page, price=""))
    assert not Offer.objects.filter(is_open=True).exists()


def test_what_is_not_live_is_not_sold(desk, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD), live=False)
    offer, buyer = sell(page), make.make_person()
    with pytest.raises(Missing):
        orders.place(buyer, offer.pk, language="en")
    page.get_latest_revision().publish()
    assert orders.place(buyer, offer.pk, language="en").amount == 990


def test_without_its_paywall_a_work_is_no_longer_sold(desk, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD), live=False)
    sell(page)
    assert desk.post(f"/edit/{page.pk}", form(page, body=TEXT, price="9.90")).status_code == 302
    assert not Offer.objects.filter(is_open=True).exists()


def test_authors_share_what_the_house_leaves(desk, shen):
    he = make.make_creator("he")
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer = sell(page)
    assert desk.post(f"/edit/{page.pk}/coauthors", {"coauthor": "HE"}).status_code == 302
    assert {share.payee for share in offer.shares.all()} == {shen}
    parts = {f"share_{shen.pk}": "70", f"share_{he.pk}": "30", "price": "9.90"}
    assert desk.post(f"/edit/{page.pk}", form(page, **parts)).status_code == 302
    assert dict(offer.shares.values_list("payee__username", "share_bps")) == {"shen": 6300, "he": 2700}
    refused = desk.post(f"/edit/{page.pk}", form(page, **parts | {f"share_{he.pk}": "31"}))
    assert refused.status_code == 422
    assert "101" in refused.content.decode()
    desk.post(f"/edit/{page.pk}/coauthors/remove", {"person": he.pk})
    assert dict(offer.shares.values_list("payee__username", "share_bps")) == {"shen": 9000}


def test_a_coauthor_writes_and_does_not_set_the_price(client, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer, he = sell(page), make.make_creator("he")
    Authorship.objects.create(page=page, user=he, role=Authorship.Role.COAUTHOR)
    client.force_login(he)
    assert client.post(f"/edit/{page.pk}", form(page, title="一起改的")).status_code == 302
    assert writing.latest_values(page)[0].title == "一起改的"
    for values in ({"price": "1"}, {"price": ""}, {f"share_{he.pk}": "100"}):
        assert client.post(f"/edit/{page.pk}", form(page, **values)).status_code == 403
    assert client.post(f"/edit/{page.pk}/coauthors", {"coauthor": "he"}).status_code == 403
    offer.refresh_from_db()
    assert (offer.amount, offer.is_open, offer.shares.get().payee) == (990, True, shen)


@pytest.mark.parametrize("name", ["nobody", "reader", "", "shen@example.org", "\u202e", "x" * 200])
def test_only_who_may_publish_is_invited(desk, shen, name):
    make.make_person("reader")
    page = make.make_article(shen, live=False)
    assert desk.post(f"/edit/{page.pk}/coauthors", {"coauthor": name}).status_code == 422
    assert page.authorships.get().user == shen


# --- Withdrawal, languages, list ----------------------------------------------------------------------------------------


def test_a_withdrawn_work_is_off_the_shelves_and_off_sale_in_every_language(
    desk, shen, django_capture_on_commit_callbacks
):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    desk.post(f"/edit/{page.pk}/translation")
    twin = ArticlePage.objects.exclude(pk=page.pk).get()
    twin.get_latest_revision().publish()
    sell(page)
    assert desk.post(f"/edit/{page.pk}/withdraw").status_code == 302
    assert ArticlePage.objects.filter(withdrawn_at=None).count() == 0
    assert not Offer.objects.filter(is_open=True).exists()
    assert Client().get(page.get_url()).status_code == 410
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(f"/edit/{twin.pk}/restore")
    assert ArticlePage.objects.filter(withdrawn_at=None).count() == 2
    assert Client().get(page.get_url()).status_code == 200


def test_the_other_language_is_begun_once(desk, shen):
    page = make.make_article(shen)
    first = desk.post(f"/edit/{page.pk}/translation")
    assert desk.post(f"/edit/{page.pk}/translation")["Location"] == first["Location"]
    twin = ArticlePage.objects.exclude(pk=page.pk).get()
    assert (twin.locale.language_code, twin.authorships.get().user, twin.live) == ("en", shen, False)


def test_the_list_shows_ones_own_works_where_they_stand(desk, shen, django_assert_max_num_queries):
    make.make_article(make.make_creator("he"), title="别人的")
    live, draft = make.make_article(shen, title="在架的"), make.make_article(shen, title="草稿的", live=False)
    waiting = make.make_article(shen, title="待审的", live=False)
    writing.submit(waiting, shen)
    with django_assert_max_num_queries(24):
        shown = desk.get("/writing").content.decode()
    assert "别人的" not in shown
    assert shown.index(draft.title) < shown.index(waiting.title) < shown.index(live.title)


def test_a_cover_comes_with_the_form(desk, shen):
    page = make.make_article(shen, live=False)
    file = SimpleUploadedFile("a.png", make.picture_bytes(), "image/png")
    assert desk.post(f"/edit/{page.pk}", form(page, cover_file=file)).status_code == 302
    cover = writing.latest_values(page)[0].cover_id
    assert cover
    refused = desk.post(f"/edit/{page.pk}", form(page, cover_file=SimpleUploadedFile("a.png", b"<svg/>", "image/png")))
    assert refused.status_code == 422
    desk.post(f"/edit/{page.pk}", form(page, drawn_cover="on"))
    assert writing.latest_values(page)[0].cover_id is None
