"""What happens to a work at the desk: review, price and parts, withdrawal, the other language, the list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sishu.accounts import roles
from sishu.commerce import orders, terms
from sishu.commerce.models import Offer
from sishu.content import coauthors, dialect, workflow, writing
from sishu.content.models import ArticlePage, Authorship
from sishu.content.paywall import Level
from sishu.core.errors import DomainError, Missing
from tests.factories import content as make
from tests.factories.commerce import make_offer, make_plan
from tests.web.desk import SOLD, TEXT, WORK, form, sell, settle, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


def publish_text(page: ArticlePage, author, text: str) -> None:
    values, version = writing.latest_values(page)
    writing.save_draft(page, author, replace(values, markdown=text), version)
    ArticlePage.objects.get(pk=page.pk).get_latest_revision().publish()


# --- Review -------------------------------------------------------------------------------------------------------------


def test_from_the_sheet_to_the_reader(desk, shen):
    reviewer = make.make_person("lin", role=roles.REVIEWER)
    desk.post("/publish", {**WORK, "do": "submit"})
    page = work()
    assert desk.post(f"/edit/{page.pk}", form(page, title="改")).status_code == 409, "not under the reviewer's eyes"
    settle()
    assert [(sent.to, page.draft_title in sent.subject) for sent in mail.outbox] == [([reviewer.email], True)]
    mail.outbox.clear()
    make.judge(page, reviewer, "reject", "第二段说不清")
    settle()
    assert mail.outbox[0].to == [shen.email]
    assert "第二段说不清" in mail.outbox[0].body
    assert f"/edit/{page.pk}" in mail.outbox[0].body
    assert "第二段说不清" in desk.get(f"/edit/{page.pk}").content.decode()
    assert "第二段说不清" in desk.get("/writing").content.decode()
    mail.outbox.clear()
    desk.post(f"/edit/{page.pk}", form(page, body=TEXT + "说清了。", do="submit"))
    settle()
    make.judge(page, reviewer)
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


def test_a_live_work_gets_its_paywall_and_its_price_in_one_go(desk, shen):
    page = make.make_article(shen, title="白送的")
    changes = {"title": "要卖的", "body": SOLD, "price": "9.90"}
    assert desk.post(f"/edit/{page.pk}", form(page, **changes)).status_code == 302
    assert Offer.objects.get(is_open=True).amount == 990
    draft = make.make_article(shen, title="旧题", body=dialect.to_blocks(SOLD), live=False)
    desk.post(f"/edit/{draft.pk}", form(draft, title="新题", price="5"))
    assert Offer.objects.get(page=draft.page_ptr).title == "新题"


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


def test_a_version_without_the_paywall_ends_the_sale_when_it_goes_live(desk, shen):
    reviewer = make.make_person("lin", role=roles.REVIEWER)
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer, plan = sell(page), make_plan()
    values, version = writing.latest_values(page)
    writing.save_draft(page, shen, replace(values, markdown=TEXT), version)
    writing.submit(page, shen)
    settle()
    assert Offer.objects.get(pk=offer.pk).is_open, "readers still have the version that is sold"
    make.judge(page, reviewer)
    settle()
    assert not Offer.objects.get(pk=offer.pk).is_open
    assert Offer.objects.get(pk=plan.pk).is_open
    assert orders.place(make.make_person(), plan.pk, language="en").amount == plan.amount


def test_a_language_with_a_paywall_keeps_the_offer_open(desk, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer, twin = sell(page), writing.add_translation(page, shen)
    publish_text(twin, shen, TEXT)
    settle()
    assert Offer.objects.get(pk=offer.pk).is_open
    assert desk.post(f"/edit/{twin.pk}", form(twin, price="9.90")).status_code == 302
    assert Offer.objects.get(pk=offer.pk).is_open, "saving the open translation does not end the sale either"
    publish_text(page, shen, TEXT)
    settle()
    assert not Offer.objects.get(pk=offer.pk).is_open


def test_an_unread_draft_of_a_translation_sells_nothing(desk, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer, twin = sell(page), writing.add_translation(page, shen)
    publish_text(page, shen, TEXT)
    settle()
    assert twin.get_latest_revision_as_object().needed_level == Level.PAID
    assert not Offer.objects.get(pk=offer.pk).is_open


def test_a_price_for_what_is_still_being_written_waits_for_it(desk, shen):
    page = make.make_article(shen)
    twin = writing.add_translation(page, shen)
    assert desk.post(f"/edit/{page.pk}", form(page, body=SOLD, price="9.90")).status_code == 302
    offer = Offer.objects.get(is_open=True)
    publish_text(twin, shen, TEXT)
    settle()
    assert Offer.objects.get(pk=offer.pk).is_open
    page.refresh_from_db()
    page.get_latest_revision().publish()
    settle()
    assert Offer.objects.get(pk=offer.pk).is_open


def test_a_title_page_gone_live_again_keeps_its_offers(shen):
    plan = make_plan()
    once = make_offer(plan.page)
    plan.page.specific.save_revision().publish()
    settle()
    assert Offer.objects.filter(pk__in=[plan.pk, once.pk], is_open=True).count() == 2


def test_authors_share_what_the_house_leaves(desk, shen):
    he = make.make_creator("he")
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer = sell(page)
    assert desk.post(f"/edit/{page.pk}/coauthors", {"coauthor": "HE"}).status_code == 302
    coauthors.accept(he, he.invitations.get().pk)
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


def test_a_withdrawn_work_is_off_the_shelves_and_off_sale_in_every_language(desk, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    desk.post(f"/edit/{page.pk}/translation")
    twin = ArticlePage.objects.exclude(pk=page.pk).get()
    twin.get_latest_revision().publish()
    sell(page)
    assert 'form="withdraw"' in desk.get(f"/edit/{page.pk}").content.decode()
    assert desk.post(f"/edit/{page.pk}/withdraw").status_code == 302
    assert ArticlePage.objects.filter(withdrawn_at=None).count() == 0
    assert not Offer.objects.filter(is_open=True).exists()
    assert Client().get(page.get_url()).status_code == 410
    page.refresh_from_db()
    with pytest.raises(DomainError, match=r"withdrawn|已下架"):
        terms.agree(page, shen, 990)
    desk.post(f"/edit/{twin.pk}/restore")
    settle()
    assert ArticlePage.objects.filter(withdrawn_at=None).count() == 2
    assert Client().get(page.get_url()).status_code == 200


def test_a_coauthor_takes_nothing_off_sale(client, shen):
    page = make.make_article(shen, body=dialect.to_blocks(SOLD))
    offer, he = sell(page), make.make_creator("he")
    Authorship.objects.create(page=page, user=he, role=Authorship.Role.COAUTHOR)
    client.force_login(he)
    assert 'form="withdraw"' not in client.get(f"/edit/{page.pk}").content.decode()
    assert client.post(f"/edit/{page.pk}/withdraw").status_code == 403
    writing.withdraw(page, shen)
    assert client.post(f"/edit/{page.pk}/restore").status_code == 403
    offer.refresh_from_db()
    assert offer.is_open


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
