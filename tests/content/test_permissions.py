"""Creators meet nothing of other creators' drafts, wherever they look in the studio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from wagtail.models import Page

from sishu.content import house, writing
from sishu.content.models import ArticlePage, Authorship
from sishu.content.writing import DraftValues
from sishu.jobs import runner
from tests.factories import content as make

pytestmark = pytest.mark.django_db
SECRET = "绝密草稿Zebra的"


@pytest.fixture
def scene() -> dict[str, Any]:
    """A creator with a work, and another one with a draft, an upload and a submission that are nobody's business."""
    make.make_house()
    mine, theirs = make.make_creator("mine"), make.make_creator("theirs")
    own = make.make_article(mine, title="我的文章Okapi", live=False)
    draft = make.make_article(theirs, title=f"{SECRET}稿", live=False)
    sent = writing.create(theirs, "zh-hans", DraftValues(title=f"{SECRET}投稿", markdown=make.LONG_ENOUGH))
    writing.submit(sent, theirs)
    picture = make.make_picture(theirs, title=f"{SECRET}图")
    file = make.make_attachment(theirs, title=f"{SECRET}文件")
    used = [{"type": "image", "value": {"image": picture.pk}}, {"type": "file", "value": {"document": file.pk}}]
    draft.body = json.dumps(used)
    draft.save_revision(user=theirs, log_action=True)
    runner.run_due(200)
    client = Client(raise_request_exception=False)
    client.force_login(mine)
    return {
        "client": client,
        "mine": mine,
        "theirs": theirs,
        "own": own,
        "draft": draft,
        "sent": sent,
        "picture": picture,
        "file": file,
    }


def studio_patterns(resolver: URLResolver, names: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    """Every named address of the studio with the names of its arguments."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from studio_patterns(pattern, (*names, pattern.namespace) if pattern.namespace else names)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield ":".join((*names, pattern.name)), list(pattern.pattern.regex.groupindex)


def studio_addresses(scene: dict[str, Any]) -> Iterator[str]:
    """Every address of the studio that can be filled with ids of the scene."""
    draft, sent, own = scene["draft"], scene["sent"], scene["own"]
    task_state = sent.current_workflow_task_state
    fillings: list[dict[str, Any]] = [
        {
            "page_id": page.pk,
            "parent_page_id": page.get_parent().pk,
            "page_to_move_id": own.pk,
            "pk": page.pk,
            "object_id": page.pk,
            "revision_id": page.latest_revision_id,
            "revision_id_a": "earliest",
            "revision_id_b": "latest",
            "content_type_app_name": "content",
            "content_type_model_name": "articlepage",
            "content_type_id": page.content_type_id,
            "app_label": "content",
            "model_name": "articlepage",
            "image_id": scene["picture"].pk,
            "document_id": scene["file"].pk,
            "task_state_id": task_state.pk,
            "action_name": "approve",
            "workflow_state_id": sent.current_workflow_state.pk,
            "lang_code": "en",
            "language_code": "en",
            "panel_id": "x",
            "filter_spec": "max-165x165",
            "content_type": "content.ArticlePage",
            "locale_id": own.locale_id,
            "positions": "0",
        }
        for page in (draft, sent, own)
    ]
    fillings += [
        {"app_label": "content", "model_name": model, "action": action}
        for model in ("picture", "attachment")
        for action in ("delete", "add_tags", "add_to_collection")
    ]
    fillings += [{"app_label": "wagtailcore", "model_name": "page", "action": name} for name in PAGE_ACTIONS]
    fillings += [
        {"pk": scene["picture"].pk},
        {"pk": scene["file"].pk},
        {"page_id": draft.get_parent().pk},
        {"pk": draft.get_parent().pk},
    ]
    fillings += [{"parent_page_id": page.pk} for page in draft.get_ancestors()]
    for name, arguments in studio_patterns(get_resolver()):
        for filling in fillings:
            if set(arguments) <= set(filling):
                try:
                    yield reverse(name, kwargs={argument: filling[argument] for argument in arguments})
                except (NoReverseMatch, ValueError):  # a converter that takes no such id
                    continue
            if not arguments:
                break


QUERIES = ("", "?q=绝密", "?p=1&q=Zebra&page_type=content.articlepage")
PAGE_ACTIONS = ("delete", "move", "publish", "unpublish")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_no_address_of_the_studio_tells_a_creator_of_anothers_draft(scene):
    addresses = sorted({address for address in studio_addresses(scene) if address.startswith("/studio/")})
    addresses = [address for address in addresses if not address.endswith(("/logout/", "/failwhale/"))]
    assert len(addresses) > 150
    named = [f"?id={scene[name].pk}&next=/studio/" for name in ("draft", "picture", "file")]
    leaks, faults = [], []
    for address in addresses:
        for query in (*QUERIES, *named, *(["?id=all"] if "/bulk/" in address else [])):
            response = scene["client"].get(address + query)
            if response.status_code >= 500:
                faults.append(address + query)
            # A message for the next page is a leak too: it is shown there.
            said = " ".join(str(message) for message in get_messages(response.wsgi_request))
            if SECRET in said + b"".join(response).decode(errors="replace"):
                leaks.append(address + query)
    assert (leaks, faults) == ([], [])


@pytest.mark.full_text
def test_the_sweep_would_notice(scene):
    """The same addresses do show the drafts to someone who works for the house."""
    client = Client()
    client.force_login(make.make_person(role="reviewer"))
    seen = client.get(reverse("wagtailadmin_explore", args=[scene["draft"].get_parent().pk])).content.decode()
    assert SECRET in seen
    assert SECRET in client.get("/studio/pages/search/?q=绝密").content.decode()


@pytest.mark.parametrize("role", ["creator", "finance", "support"])
def test_asking_by_number_names_nothing_of_others(scene, role):
    picture, file, draft = scene["picture"].pk, scene["file"].pk, scene["draft"].pk
    client = Client()
    client.force_login(make.make_person(role=role))
    for address in (
        f"choose-page/chosen-multiple/?id={draft}",
        f"choose-page/chosen-multiple/?id={scene['own'].pk}&id={draft}",
        f"images/chooser/chosen-multiple/?id={picture}",
        f"documents/chooser/chosen-multiple/?id={file}",
        f"images/chooser/{picture}/select_format/",
        f"bulk/wagtailcore/page/delete/?id={draft}&next=/studio/",
        f"bulk/content/picture/delete/?id={picture}&next=/studio/",
        f"bulk/content/attachment/delete/?id=x{file}&next=/studio/",
    ):
        response = client.get(f"/studio/{address}")
        assert (response.status_code, SECRET in response.content.decode()) == (404, False), address


def test_a_creator_still_chooses_their_own(scene):
    picture = make.make_picture(scene["mine"])
    for address in (
        f"choose-page/chosen-multiple/?id={scene['own'].pk}",
        f"images/chooser/chosen-multiple/?id={picture.pk}",
        f"images/chooser/{picture.pk}/select_format/",
        f"bulk/content/picture/add_tags/?id={picture.pk}&next=/studio/",
        f"bulk/wagtailcore/page/delete/?id={scene['own'].pk}&next=/studio/",
    ):
        assert scene["client"].get(f"/studio/{address}").status_code == 200, address


def get(scene: dict[str, Any], name: str, *args: Any) -> int:
    return scene["client"].get(reverse(name, args=args)).status_code


@pytest.mark.full_text
def test_a_creator_still_works_on_their_own(scene):
    own = scene["own"]
    hub = own.get_parent()
    assert get(scene, "wagtailadmin_home") == 200
    assert get(scene, "wagtailadmin_explore_root") in (200, 302)
    assert get(scene, "wagtailadmin_explore", hub.pk) == 200
    assert get(scene, "wagtailadmin_pages:edit", own.pk) == 200
    assert get(scene, "wagtailadmin_pages:history", own.pk) == 200
    assert get(scene, "wagtailadmin_pages:add", "content", "articlepage", hub.pk) == 200
    assert get(scene, "wagtailadmin_pages:delete", own.pk) == 200
    assert own.title in scene["client"].get(reverse("wagtailadmin_explore", args=[hub.pk])).content.decode()
    assert own.title in scene["client"].get("/studio/pages/search/?q=Okapi").content.decode()


def test_a_creator_neither_publishes_nor_unpublishes(scene):
    own = scene["own"]
    tester = own.permissions_for_user(scene["mine"])
    assert (tester.can_edit(), tester.can_publish(), tester.can_unpublish()) == (True, False, False)
    own.latest_revision.publish()
    own.refresh_from_db()
    tester = own.permissions_for_user(scene["mine"])
    assert (tester.can_unpublish(), tester.can_delete(), tester.can_set_view_restrictions()) == (False, False, False)


def test_a_coauthor_edits_but_does_not_delete(scene):
    draft, mine = scene["draft"], scene["mine"]
    assert get(scene, "wagtailadmin_pages:edit", draft.pk) == 404
    Authorship.objects.create(page=draft, user=mine, role=Authorship.Role.COAUTHOR)
    assert get(scene, "wagtailadmin_pages:edit", draft.pk) == 200
    assert get(scene, "wagtailadmin_pages:edit", scene["sent"].pk) == 404
    assert not draft.permissions_for_user(mine).can_delete()


def test_nobody_writes_in_anothers_room(scene):
    theirs, own = scene["draft"].get_parent(), scene["own"]
    home = theirs.get_parent()
    assert get(scene, "wagtailadmin_pages:add", "content", "articlepage", theirs.pk) == 404
    assert get(scene, "wagtailadmin_pages:add", "content", "creatorhub", home.pk) == 404
    tester = own.permissions_for_user(scene["mine"])
    for destination in (theirs, Page.objects.get(pk=theirs.pk), home):
        assert not tester.can_move_to(destination)
        assert not tester.can_copy_to(destination)
    copy = {"new_title": "c", "new_slug": "c", "new_parent_page": theirs.pk, "copy_subpages": ""}
    scene["client"].post(reverse("wagtailadmin_pages:copy", args=[own.pk]), copy)
    assert not ArticlePage.objects.child_of(theirs).filter(slug="c").exists()
    scene["client"].post(
        reverse("wagtailadmin_pages:copy", args=[own.pk]), {**copy, "new_parent_page": own.get_parent().pk}
    )
    made = ArticlePage.objects.get(slug="c")
    assert Authorship.objects.get(page=made).user == scene["mine"]


@pytest.mark.parametrize("verb", ["delete", "unpublish", "unlock", "lock", "publish", "move"])
def test_posts_to_anothers_page_change_nothing(scene, verb):
    draft = scene["draft"]
    before = (Page.objects.count(), ArticlePage.objects.values().get(pk=draft.pk))
    for path in (f"/studio/pages/{draft.pk}/{verb}/", f"/studio/bulk/wagtailcore/page/{verb}/?id={draft.pk}&next=/"):
        assert scene["client"].post(path).status_code in (302, 403, 404, 200)
    scene["client"].post(f"/studio/pages/{draft.pk}/edit/", {"title": "mine now", "action-publish": "1"})
    assert (Page.objects.count(), ArticlePage.objects.values().get(pk=draft.pk)) == before


def test_reviewers_see_all_and_may_publish(scene):
    reviewer = make.make_person(role="reviewer")
    client = Client()
    client.force_login(reviewer)
    assert client.get(reverse("wagtailadmin_pages:edit", args=[scene["sent"].pk])).status_code == 200
    assert scene["sent"].permissions_for_user(reviewer).can_publish()
    make.judge(scene["sent"], reviewer)
    scene["sent"].refresh_from_db()
    assert scene["sent"].live


def test_rooms_are_only_made_by_the_house(scene):
    owner = make.make_person(role="owner")
    home = scene["own"].get_parent().get_parent()
    assert not home.specific.permissions_for_user(owner).can_add_subpage()
    assert house.ensure_hub(scene["mine"], "en").locale.language_code == "en"
