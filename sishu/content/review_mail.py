"""Messages about works, written and sent by the worker: what became of a review, what waits, who is asked to write and who does."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import translation
from django_tasks import task
from wagtail.models import GroupApprovalTask, TaskState

from sishu.accounts import mail, roles
from sishu.accounts.models import User
from sishu.content.models import ArticlePage, Invitation


@task()
def send_accepted(page_id: int, user_id: int) -> None:
    """To one author: the work went live."""
    page = ArticlePage.objects.select_related("locale").get(pk=page_id)
    _send("content/mail/accepted.txt", user_id, page, page_url=page.full_url or "", edit_url=mail.link("edit", page_id))


@task()
def send_needs_changes(page_id: int, user_id: int, task_state_id: int) -> None:
    """To one author: what to change before the work can go live."""
    page = ArticlePage.objects.get(pk=page_id)
    with translation.override(mail.language_for(User.objects.get(pk=user_id))):
        reasons = TaskState.objects.get(pk=task_state_id).specific.get_comment()
    _send("content/mail/needs_changes.txt", user_id, page, reasons=reasons, edit_url=mail.link("edit", page_id))


@task()
def send_waiting(page_id: int, user_id: int) -> None:
    """To one reviewer: a work waits. Nothing, when it has been judged or taken back meanwhile."""
    page = ArticlePage.objects.filter(pk=page_id).first()
    state = page.current_workflow_task_state if page else None
    if page is None or state is None or not isinstance(state.task.specific, GroupApprovalTask):
        return
    names = [part.user.name for part in page.authorships.select_related("user")]
    url = mail.link("wagtailadmin_pages:edit", page_id)
    _send("content/mail/waiting.txt", user_id, page, authors=names, review_url=url)


@task()
def send_invitation(invitation_id: int) -> None:
    """To somebody who is asked to write with others. Nothing, when it was answered or taken back meanwhile."""
    invitation = Invitation.objects.filter(pk=invitation_id, status=Invitation.Status.PENDING).first()
    if invitation is None:
        return
    facts = {"inviter": invitation.invited_by.name, "works_url": mail.link("writing")}
    _send("content/mail/invitation.txt", invitation.user_id, invitation.page, **facts)


@task()
def send_joined(invitation_id: int) -> None:
    """To the author who asked: the invitation was accepted. Nothing, when the part has ended meanwhile."""
    invitation = Invitation.objects.select_related("page", "user").get(pk=invitation_id)
    if invitation.page.authorships.filter(user=invitation.user_id).exists():
        facts = {"coauthor": invitation.user.name, "edit_url": mail.link("edit", invitation.page_id)}
        _send("content/mail/coauthor_joined.txt", invitation.invited_by_id, invitation.page, **facts)


def authors_of(page_id: int) -> QuerySet[User]:
    """Who hears what became of a work."""
    return User.objects.filter(authorships__page_id=page_id, is_active=True).order_by("pk")


def reviewers() -> QuerySet[User]:
    """Who hears that a work waits."""
    return User.objects.filter(groups__name=roles.REVIEWER, is_active=True).order_by("pk")


def _send(template: str, user_id: int, page: ArticlePage, **facts: object) -> None:
    user = User.objects.get(pk=user_id)
    mail.send(template, user.email, mail.language_for(user), name=user.name, title=page.draft_title, **facts)
