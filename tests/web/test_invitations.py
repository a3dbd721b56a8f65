"""Nobody writes with others, nor lends them a file, without having said yes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from sishu.accounts import roles
from sishu.commerce.models import RevenueShare
from sishu.content import coauthors, dialect
from sishu.content.models import Authorship, Invitation
from sishu.core.errors import Invalid
from tests.factories import content as make
from tests.web.desk import SOLD, form, sell, settle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def he():
    return make.make_creator("he")


@pytest.fixture
def page(shen):
    return make.make_article(shen, title="一起写", body=dialect.to_blocks(SOLD))


def as_(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def invite(page, user, name: str = "he") -> Invitation:
    assert as_(user).post(f"/edit/{page.pk}/coauthors", {"coauthor": name}).status_code == 302
    return Invitation.objects.get(user__username=name)


def test_who_is_asked_has_no_part_before_they_accept(page, shen, he):
    sell(page)
    invitation = invite(page, shen)
    assert as_(he).get(f"/edit/{page.pk}").status_code == 404
    assert RevenueShare.objects.get().payee == shen
    settle()
    (message,) = [sent for sent in mail.outbox if he.email in sent.to]
    assert "一起写" in message.subject
    assert "/writing" in message.body
    desk = as_(he)
    assert "一起写" in desk.get("/writing").content.decode()
    assert "he" in as_(shen).get(f"/edit/{page.pk}").content.decode()
    assert desk.post(f"/invitations/{invitation.pk}/accept").status_code == 302
    assert desk.get(f"/edit/{page.pk}").status_code == 200
    assert page.authorships.get(user=he).role == Authorship.Role.COAUTHOR
    assert not RevenueShare.objects.filter(payee=he).exists()  # until the author says what part is theirs
    parts = {f"share_{shen.pk}": "70", f"share_{he.pk}": "30", "price": "9.90"}
    assert as_(shen).post(f"/edit/{page.pk}", form(page, **parts)).status_code == 302
    assert RevenueShare.objects.get(payee=he).share_bps == 2700


def test_the_author_is_told_who_came(page, shen, he):
    invitation = invite(page, shen)
    as_(he).post(f"/invitations/{invitation.pk}/accept")
    settle()
    (message,) = [sent for sent in mail.outbox if shen.email in sent.to]
    assert "一起写" in message.subject
    assert f"/edit/{page.pk}" in message.body


def test_a_coauthor_leaves_alone_and_their_part_goes_to_those_who_stay(page, shen, he):
    twin = as_(shen).post(f"/edit/{page.pk}/translation")["Location"]
    as_(he).post(f"/invitations/{invite(page, shen).pk}/accept")
    parts = {f"share_{shen.pk}": "70", f"share_{he.pk}": "30", "price": "9.90"}
    assert as_(shen).post(f"/edit/{page.pk}", form(page, **parts)).status_code == 302
    desk = as_(he)
    assert 'form="leave"' in desk.get(f"/edit/{page.pk}").content.decode()
    assert desk.post(f"/edit/{page.pk}/coauthors/leave")["Location"] == "/writing"
    assert desk.get(f"/edit/{page.pk}").status_code == desk.get(twin).status_code == 404
    assert {share.payee: share.share_bps for share in RevenueShare.objects.all()} == {shen: 9000}
    assert desk.post(f"/edit/{page.pk}/coauthors/leave").status_code == 404


def test_who_began_a_work_does_not_leave_it(page, shen):
    assert 'form="leave"' not in as_(shen).get(f"/edit/{page.pk}").content.decode()
    assert as_(shen).post(f"/edit/{page.pk}/coauthors/leave").status_code == 403
    assert page.authorships.get().user == shen


def test_a_part_covers_every_language(page, shen, he):
    twin = as_(shen).post(f"/edit/{page.pk}/translation")["Location"]
    as_(he).post(f"/invitations/{invite(page, shen).pk}/accept")
    assert as_(he).get(twin).status_code == 200


def test_no_is_no(page, shen, he):
    invitation = invite(page, shen)
    assert as_(he).post(f"/invitations/{invitation.pk}/decline").status_code == 302
    assert as_(he).post(f"/invitations/{invitation.pk}/accept").status_code == 404
    assert not Authorship.objects.filter(user=he).exists()
    assert as_(shen).post(f"/edit/{page.pk}/coauthors", {"coauthor": "he"}).status_code == 422


def test_an_invitation_is_answered_by_the_invited_alone(page, shen, he):
    invitation = invite(page, shen)
    for person in (shen, make.make_creator(), make.make_person(role="owner")):
        for answer in ("accept", "decline"):
            assert as_(person).post(f"/invitations/{invitation.pk}/{answer}").status_code == 404
    roles.revoke(he, roles.CREATOR)
    assert as_(he).post(f"/invitations/{invitation.pk}/accept").status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.PENDING


def test_what_is_taken_back_is_not_accepted_any_more(page, shen, he):
    invitation = invite(page, shen)
    desk = as_(shen)
    assert desk.post(f"/edit/{page.pk}/coauthors/uninvite", {"person": he.pk}).status_code == 302
    assert as_(he).post(f"/invitations/{invitation.pk}/accept").status_code == 404
    invite(page, shen)
    settle()
    assert len(mail.outbox) == 1
    assert as_(he).post(f"/invitations/{invitation.pk}/accept").status_code == 302
    desk.post(f"/edit/{page.pk}/coauthors/remove", {"person": he.pk})
    assert not Authorship.objects.filter(user=he).exists()


def test_invitations_are_counted(shen, he):
    for _ in range(coauthors.MAX_INVITATIONS_A_DAY):
        coauthors.invite(make.make_article(shen, live=False), shen, "he")
    with pytest.raises(Invalid):
        coauthors.invite(page := make.make_article(shen, live=False), shen, "he")
    first = Invitation.objects.order_by("pk").first()
    Invitation.objects.filter(pk=first.pk).update(created_at=first.created_at - timedelta(days=2))
    coauthors.invite(page, shen, "he")


def test_an_invitation_opens_no_file(he, shen):
    """Neither the asking nor the accepting: what a common work shows is common, and nothing else."""
    paid = make.make_attachment(he, content=b"paid")
    file = {"type": "file", "value": {"document": paid.pk, "title": ""}}
    make.make_article(he, body=[make.prose("x"), make.paywall("PAID"), file])
    bait = make.make_article(shen, live=False)
    invitation = invite(bait, shen)
    desk = as_(shen)
    assert desk.get(f"/files/{paid.pk}").status_code == 404
    as_(he).post(f"/invitations/{invitation.pk}/accept")
    assert desk.get(f"/files/{paid.pk}").status_code == 404
    taken = dialect.to_markdown([make.prose(make.LONG_ENOUGH), file])
    assert desk.post(f"/edit/{bait.pk}", form(bait, body=taken)).status_code == 422
    assert as_(he).post(f"/edit/{bait.pk}", form(bait, body=taken)).status_code == 302
    assert desk.get(f"/files/{paid.pk}").status_code == 200
    bait.refresh_from_db()
    assert as_(he).post(f"/edit/{bait.pk}", form(bait, body=make.LONG_ENOUGH)).status_code == 302
    assert desk.get(f"/files/{paid.pk}").status_code == 404
