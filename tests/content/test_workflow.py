"""Review: the rules, the reviewer, live; and back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override
from wagtail.models import Page, TaskState, Workflow, WorkflowState

from sishu.content import house, workflow, writing
from sishu.content.models import ArticlePage, Authorship, CreatorHub, HomePage
from sishu.content.workflow import ReviewStatus
from sishu.content.writing import DraftValues
from sishu.core import clock
from sishu.core.errors import DomainError
from sishu.jobs import runner
from sishu.moderation.models import Case, Decision
from sishu.outbox.models import Fact
from tests.factories import content as make
from tests.web.desk import settle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def reviewer():
    return make.make_person("he", role="reviewer")


def fact_names(page) -> list[str]:
    return [fact.name for fact in Fact.objects.order_by("pk") if fact.body["page_id"] == page.pk]


def state(page) -> workflow.ReviewState:
    return workflow.review_state(ArticlePage.objects.get(pk=page.pk))


def test_from_draft_to_live(draft, shen, reviewer):
    assert state(draft).status == ReviewStatus.DRAFT
    writing.submit(draft, shen)
    assert state(draft).status == ReviewStatus.IN_REVIEW
    assert list(workflow.waiting_for(reviewer)) == []  # the rules come first

    runner.run_due()
    (waiting,) = workflow.waiting_for(reviewer)
    assert waiting.revision.object_id == str(draft.pk)
    (case,) = Case.objects.all()
    assert (case.ref, case.kind, case.status) == (f"page:{draft.pk}", "review", "open")

    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert draft.live
    assert state(draft).status == ReviewStatus.LIVE
    ruling = Decision.objects.get()
    assert (ruling.case, ruling.outcome, ruling.who) == (case, "passed", reviewer)
    assert fact_names(draft) == ["WorkSubmitted", "WorkWaits", "PagePublished", "WorkApproved"]


def test_the_rules_send_back_with_reasons(shen):
    page = writing.create(shen, "zh-hans", DraftValues(title="太短", markdown="三个字"))
    writing.submit(page, shen)
    runner.run_due()
    result = state(page)
    assert result.status == ReviewStatus.NEEDS_CHANGES
    assert "60" in result.reasons
    task_state = TaskState.objects.get()
    assert Fact.objects.get(name="WorkRejected").body == {"page_id": page.pk, "task_state_id": task_state.pk}
    ruling = Decision.objects.get()
    assert (ruling.outcome, ruling.who, ruling.case.status) == ("refused", None, "decided")
    assert ruling.case.findings[0]["code"] == "short"


def test_reasons_are_in_the_language_of_who_reads_them(shen):
    shen.language = "en"
    shen.save()
    page = writing.create(shen, "en", DraftValues(title="Short", markdown="three words only"))
    he = make.make_creator("he")
    he.language = "zh-hans"
    he.save()
    Authorship.objects.create(page=page, user=he, role=Authorship.Role.COAUTHOR)
    writing.submit(page, shen)
    settle()
    said = {"en": "The work has 3 words", "zh-hans": "作品只有3字"}
    for language, words in said.items():
        with override(language):
            assert words in state(page).reasons
    bodies = {message.to[0]: message.body for message in mail.outbox}
    assert said["en"] in bodies[shen.email]
    assert said["zh-hans"] in bodies[he.email]


def test_the_same_text_under_another_name_is_refused(shen, draft, reviewer):
    writing.submit(draft, shen)
    runner.run_due()
    make.judge(draft, reviewer)
    thief = make.make_creator("thief")
    copy = writing.create(thief, "en", DraftValues(title="Mine", markdown=f"**{make.LONG_ENOUGH}** "))
    writing.submit(copy, thief)
    runner.run_due()
    assert "复盘" in state(copy).reasons
    own = writing.add_translation(draft, shen)  # still in Chinese, but the same work
    writing.submit(own, shen)
    runner.run_due()
    assert state(own).status == ReviewStatus.IN_REVIEW


def test_a_reviewer_sends_back_and_the_next_version_starts_over(draft, shen, reviewer):
    writing.submit(draft, shen)
    runner.run_due()
    make.judge(draft, reviewer, "reject", "第二节没有出处。")
    assert state(draft).reasons == "第二节没有出处。"
    assert Decision.objects.get().reason == "第二节没有出处。"

    values, version = writing.latest_values(draft)
    writing.save_draft(draft, shen, DraftValues(title="复盘", markdown=values.markdown + "出处：某书。"), version)
    writing.submit(draft, shen)
    assert list(workflow.waiting_for(reviewer)) == []
    runner.run_due()
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert "某书" in draft.public_text


def test_an_edit_of_a_live_work_goes_through_review_again(draft, shen, reviewer):
    writing.submit(draft, shen)
    runner.run_due()
    make.judge(draft, reviewer)
    with pytest.raises(DomainError):
        writing.submit(draft, shen)  # nothing new
    values, version = writing.latest_values(draft)
    writing.save_draft(draft, shen, DraftValues(title="复盘，改", markdown=values.markdown), version)
    draft.refresh_from_db()
    assert (draft.title, draft.has_unpublished_changes) == ("复盘", True)
    writing.submit(draft, shen)
    runner.run_due()
    draft.refresh_from_db()
    assert draft.title == "复盘"
    assert state(draft) == workflow.ReviewState(ReviewStatus.IN_REVIEW, True, True, since=state(draft).since)
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert (draft.title, draft.has_unpublished_changes) == ("复盘，改", False)
    assert draft.slug == "复盘"  # a published address stays


def test_what_the_reviewer_approved_is_what_goes_live(draft, shen, reviewer):
    """A version saved behind the review's back is looked at again, rules included."""
    writing.submit(draft, shen)
    runner.run_due()
    page = ArticlePage.objects.get(pk=draft.pk).get_latest_revision_as_object()
    page.title = "别的"
    page.save_revision(user=reviewer)
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert not draft.live
    runner.run_due()
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert (draft.live, draft.title) == (True, "别的")


def test_a_note_of_a_check_sends_nothing_back_and_stands_beside_the_work(draft, shen, reviewer, settings):
    settings.PLUGINS = {**settings.PLUGINS, "checks": {"nagging": ("tests.moderation.shelf.Nagging", {})}}
    writing.submit(draft, shen)
    runner.run_due()
    assert state(draft).status == ReviewStatus.IN_REVIEW
    case = Case.objects.get()
    assert [finding["severity"] for finding in case.findings] == ["note"]
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert draft.live


def test_only_reviewers_judge_and_only_once(draft, shen, reviewer):
    writing.submit(draft, shen)
    for person in (shen, reviewer):
        make.judge(draft, person)  # the rules have not spoken
    runner.run_due()
    make.judge(draft, shen)
    draft.refresh_from_db()
    assert (draft.live, state(draft).status) == (False, ReviewStatus.IN_REVIEW)
    assert not Decision.objects.exists()
    late = ArticlePage.objects.get(pk=draft.pk).current_workflow_task_state
    make.judge(draft, reviewer)
    make.judge(draft, reviewer, "reject", "too late", at=late)
    draft.refresh_from_db()
    assert draft.live
    assert Decision.objects.count() == 1


def test_taking_back_ends_the_review(draft, shen, reviewer):
    writing.submit(draft, shen)
    with pytest.raises(writing.InReview):
        writing.save_draft(draft, shen, DraftValues(title="x"), draft.latest_revision_id)
    with pytest.raises(writing.InReview):
        writing.submit(draft, shen)
    writing.take_back(draft, shen)
    runner.run_due()  # the job of the cancelled step finds nothing to do
    assert state(draft).status == ReviewStatus.DRAFT
    assert WorkflowState.objects.get().status == WorkflowState.STATUS_CANCELLED
    assert not Case.objects.filter(status="open").exists()
    writing.take_back(draft, shen)
    writing.submit(draft, shen)
    runner.run_due()
    writing.take_back(draft, shen)
    assert Decision.objects.get().outcome == "settled"


def test_a_job_run_twice_judges_once(draft, shen):
    writing.submit(draft, shen)
    runner.run_due()
    first = TaskState.objects.order_by("pk").first()
    from sishu.content.first_checks import look_at

    look_at.func(first.pk)
    look_at.func(10**9)
    assert TaskState.objects.count() == 2


def test_the_house_is_built_once(capsys):
    before = (Page.objects.count(), Workflow.objects.count())
    call_command("setup_house", name_zh="灯下", name_en="Lamplight")
    call_command("setup_house")
    assert (Page.objects.count(), Workflow.objects.count()) == before
    zh, en = HomePage.objects.order_by("pk")
    assert (zh.translation_key, zh.locale.language_code, en.locale.language_code) == (
        en.translation_key,
        "zh-hans",
        "en",
    )
    assert (zh.url, en.url) == ("/", "/en/")


def test_a_creator_has_one_room_in_each_language(shen):
    zh = house.ensure_hub(shen, "zh-hans")
    en = house.ensure_hub(shen, "en")
    assert house.ensure_hub(shen, "en") == en != zh
    assert (en.translation_key, en.user, en.live) == (zh.translation_key, shen, True)
    assert CreatorHub.objects.filter(user=shen).count() == 2


def test_authors_of_a_translation_are_rows_of_its_own(draft, shen):
    friend = make.make_creator("friend")
    Authorship.objects.create(page=draft, user=friend, role=Authorship.Role.COAUTHOR)
    translation = writing.add_translation(draft, friend)
    assert translation.locale.language_code == "en"
    assert translation.translation_key == draft.translation_key
    assert not translation.live
    parts = Authorship.objects.filter(page=translation)
    assert [(part.user, part.role) for part in parts] == [(shen, "author"), (friend, "coauthor")]
    assert writing.add_translation(draft, shen) == translation
    assert writing.add_translation(translation, shen) == draft


def test_scheduled_publishing_waits_and_speaks(draft, shen, reviewer):
    page = ArticlePage.objects.get(pk=draft.pk)
    page.go_live_at = clock.now() + timedelta(days=1)
    page.save_revision(user=shen)
    writing.submit(draft, shen)
    runner.run_due()
    make.judge(draft, reviewer)
    draft.refresh_from_db()
    assert not draft.live
    assert state(draft).status == ReviewStatus.SCHEDULED
    draft.scheduled_revision.__class__.objects.filter(pk=draft.scheduled_revision.pk).update(
        approved_go_live_at=clock.now() - timedelta(minutes=1)
    )
    revision = draft.revisions.latest("pk")
    content = {**revision.content, "go_live_at": (clock.now() - timedelta(minutes=1)).isoformat()}
    draft.revisions.filter(pk=revision.pk).update(content=content)
    call_command("publish_scheduled", verbosity=0)
    draft.refresh_from_db()
    assert draft.live
    assert json.loads(json.dumps(Fact.objects.filter(name="PagePublished").latest("pk").body)) == {"page_id": draft.pk}


def test_a_room_can_be_changed_again_and_again(shen, reviewer, client):
    hub = house.ensure_hub(shen, "zh-hans")
    for bio in ("写复盘的人", "写账的人"):
        hub = CreatorHub.objects.get(pk=hub.pk)
        hub.bio = bio
        hub.save_revision(user=shen)
        hub.get_workflow().start(hub, shen)
        runner.run_due()
        hub = CreatorHub.objects.get(pk=hub.pk)
        state = hub.current_workflow_task_state
        client.force_login(reviewer)
        path = reverse("wagtailadmin_pages:workflow_action", args=[hub.pk, "approve", state.pk])
        assert client.post(path, {"comment": ""}).status_code in (200, 302)
        hub = CreatorHub.objects.get(pk=hub.pk)
        assert (hub.bio, hub.workflow_in_progress) == (bio, False)
