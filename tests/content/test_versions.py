"""Which versions of a work are forgotten, and which never are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wagtail.models import Comment, Revision

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.content import versions, workflow, writing
from sishu.content.models import ArticlePage
from sishu.core import clock
from tests.factories import content as make
from tests.web.desk import settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(shen: User) -> ArticlePage:
    page = make.make_article(shen)
    age(4000)
    versions.prune(1)  # the house's own pages have their stages too
    return page


def save(page: ArticlePage, words: str) -> int:
    """Another version, as the writer's page saves it."""
    values, version = writing.latest_values(page)
    changed = type(values)(title=values.title, markdown=f"{make.LONG_ENOUGH}\n\n{words}")
    return writing.save_draft(page, page.owner, changed, version)


def age(days: int) -> None:
    Revision.objects.update(created_at=clock.now() - timedelta(days=days))


def kept(page: ArticlePage) -> set[int]:
    return set(page.revisions.values_list("pk", flat=True))


def test_stages_of_writing_are_forgotten_and_what_was_live_stays(page):
    first = page.latest_revision_id
    stages = [save(page, word) for word in ("一", "二", "三")]
    second = save(page, "四")
    Revision.objects.get(pk=second).publish()
    stages.append(save(page, "五"))
    newest = save(page, "六")
    age(31)
    assert versions.prune(30, step=2) == len(stages)
    assert kept(page) == {first, second, newest}
    page.refresh_from_db()
    assert (page.live_revision_id, page.latest_revision_id) == (second, newest)
    assert versions.prune(30) == 0


def test_young_ones_stay(page):
    stages = [save(page, word) for word in ("一", "二", "三")]
    age(29)
    assert versions.prune(30) == 0
    assert set(stages) <= kept(page)


def test_what_a_reviewer_was_shown_stays(page):
    reviewer = make.make_person("lin", role=roles.REVIEWER)
    stage, shown = save(page, "一"), save(page, "二")
    writing.submit(page, page.owner)
    settle()
    age(31)
    assert versions.prune(30) == 1
    make.judge(page, reviewer, "reject", "第二段说不清")
    save(page, "三")
    age(31)
    assert versions.prune(30) == 0
    assert shown in kept(page)
    assert stage not in kept(page)
    assert workflow.review_state(page).reasons == "第二段说不清"


def test_what_waits_for_its_moment_stays(page):
    waiting = save(page, "一")
    Revision.objects.filter(pk=waiting).update(approved_go_live_at=clock.now() + timedelta(days=400))
    stage, newest = save(page, "二"), save(page, "三")
    age(31)
    assert versions.prune(30) == 1
    assert {waiting, newest} <= kept(page)
    assert stage not in kept(page)


def test_a_comment_outlives_the_version_it_was_made_on(page):
    stage, newest = save(page, "一"), save(page, "二")
    Revision.objects.filter(pk=stage).update(created_at=clock.now() - timedelta(days=31))
    comment = Comment.objects.create(
        page=page, user=page.owner, text="?", contentpath="title", revision_created_id=stage
    )
    assert versions.prune(30) == 1
    comment.refresh_from_db()
    assert comment.revision_created_id == newest


def test_a_house_may_keep_all(page, settings):
    for word in ("一", "二"):
        save(page, word)
    age(4000)
    settings.DRAFT_HISTORY_DAYS = 0
    assert versions.prune() == 0
    settings.DRAFT_HISTORY_DAYS = 30
    assert versions.prune() == 1
