"""Writing together: who asks whom in, who comes, and who leaves. A part in a work is a part in all its languages."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.content.facts import CoauthorInvited, CoauthorJoined
from sishu.content.models import ArticlePage, Attachment, Authorship, Invitation, Picture
from sishu.content.models.shown_media import media_of
from sishu.core import clock
from sishu.core.errors import Invalid, Missing, NotAllowed
from sishu.outbox import publisher

MAX_AUTHORS = 10
MAX_INVITATIONS_A_DAY = 20  # each sends a message to somebody who did not ask for it


def is_lead_author(page: ArticlePage, user: User) -> bool:
    """Whether this person began the work: they sell it, withdraw it and say who shares in it. Co-authors write."""
    return Authorship.objects.filter(page_id=page.pk, user_id=user.pk, role=Authorship.Role.AUTHOR).exists()


def check_lead_author(page: ArticlePage, user: User) -> None:
    """NotAllowed for a co-author, and for who may not publish here any more."""
    if not is_lead_author(page, user):
        raise NotAllowed(
            _("Only the author who began this work sells it, withdraws it, and asks others in. Ask them to.")
        )
    if why := people.why_not_publish(user):
        raise NotAllowed(why)


def family(page: ArticlePage) -> list[ArticlePage]:
    """The work in every language, held until the transaction ends."""
    languages = ArticlePage.objects.select_for_update().filter(translation_key=page.translation_key).defer("body")
    return list(languages.order_by("pk"))


@transaction.atomic
def invite(page: ArticlePage, user: User, username: str) -> User:
    """Ask somebody who may publish here to be a co-author; they are none before they `accept`.

    Invalid for anybody else, in the same words; for who is one already, has declined, or is one too many.
    """
    check_lead_author(page, user)
    person = _find_writer(username)
    languages = family(page)
    if Authorship.objects.filter(page__in=languages, user=person).exists():
        raise Invalid(_("%(name)s writes this work already.") % {"name": person.name}, code="coauthor")
    invitation = Invitation.objects.filter(page__in=languages, user=person).first()
    if invitation is None:
        _check_room(page, user)
        invitation = Invitation.objects.create(page=page, user=person, invited_by=user)
        publisher.publish(CoauthorInvited(invitation_id=invitation.pk))
    elif invitation.status == Invitation.Status.DECLINED:
        raise Invalid(_("%(name)s has declined to write this work.") % {"name": person.name}, code="coauthor")
    elif invitation.status != Invitation.Status.PENDING:
        _check_room(page, user)
        invitation.move_to(Invitation.Status.PENDING)  # no second message: it stands among their works
    return person


@transaction.atomic
def accept(user: User, invitation_id: int) -> ArticlePage:
    """Become a co-author of the work one was asked to write. Missing for what does not wait for this person's answer."""
    if why := people.why_not_publish(user):
        raise NotAllowed(why)
    invitation = _get_pending(user, invitation_id)
    languages = family(invitation.page)
    invitation.move_to(Invitation.Status.ACCEPTED)
    for one in languages:
        Authorship.objects.get_or_create(page_id=one.pk, user=user, defaults={"role": Authorship.Role.COAUTHOR})
    publisher.publish(CoauthorJoined(invitation_id=invitation.pk))
    return invitation.page


@transaction.atomic
def decline(user: User, invitation_id: int) -> ArticlePage:
    """Say no, once and for all. Missing for what does not wait for this person's answer."""
    invitation = _get_pending(user, invitation_id)
    invitation.move_to(Invitation.Status.DECLINED)
    return invitation.page


@transaction.atomic
def uninvite(page: ArticlePage, user: User, person_id: int) -> User:
    """Take back an invitation that has not been answered."""
    check_lead_author(page, user)
    waiting = Invitation.objects.filter(page__in=family(page), user_id=person_id, status=Invitation.Status.PENDING)
    invitation = waiting.select_related("user").first()
    if invitation is None:
        raise Missing(_("No invitation of this person waits for an answer."))
    invitation.move_to(Invitation.Status.WITHDRAWN)
    return invitation.user


@transaction.atomic
def remove(page: ArticlePage, user: User, person_id: int) -> User:
    """End somebody's part as co-author. Money of sales made until now stays theirs."""
    check_lead_author(page, user)
    return _end_part(page, person_id)


@transaction.atomic
def leave(page: ArticlePage, user: User) -> None:
    """End one's own part as co-author, as `remove` does. NotAllowed for who began the work."""
    if is_lead_author(page, user):
        raise NotAllowed(_("Whoever began a work cannot leave it. Withdraw it, if nobody is to read it any more."))
    _end_part(page, user.pk)


def waiting_for(user: User) -> QuerySet[Invitation]:
    """The invitations this person has not answered yet, oldest first."""
    waiting = Invitation.objects.filter(user=user, status=Invitation.Status.PENDING)
    return waiting.select_related("page__locale", "invited_by").defer("page__body").order_by("created_at")


def invited_to(page: ArticlePage) -> QuerySet[Invitation]:
    """Who was asked to write a work and has not come, whether they may still come or have declined."""
    open_or_declined = (Invitation.Status.PENDING, Invitation.Status.DECLINED)
    asked = Invitation.objects.filter(page__translation_key=page.translation_key, status__in=open_or_declined)
    return asked.select_related("user").order_by("created_at")


def share(upload: Picture | Attachment, user: User) -> bool:
    """Whether it stands in the newest version of a work that its uploader and this person write together."""
    works = ArticlePage.objects.filter(authorships__user_id=user.pk)
    for page in works.filter(authorships__user=upload.uploaded_by_user_id or 0).defer("body"):
        pictures, files = media_of(page.get_latest_revision_as_object())
        if upload.pk in (pictures if isinstance(upload, Picture) else files):
            return True
    return False


def _end_part(page: ArticlePage, person_id: int) -> User:
    """Take a co-author off a work in every language. Missing for who is none."""
    parts = Authorship.objects.filter(page__in=family(page), user_id=person_id, role=Authorship.Role.COAUTHOR)
    part = parts.select_related("user").first()
    if part is None:
        raise Missing(_("There is no such co-author of this work."))
    parts.delete()
    return part.user


def _find_writer(username: str) -> User:
    name = username.strip()
    person = people.find_by_login(name) if name and "@" not in name else None
    if person is None or not person.is_active or not people.may_publish(person):
        raise Invalid(
            _("“%(name)s” is nobody who may publish here. Check the user name, or ask the owner to invite them.")
            % {"name": name[:60]},
            code="coauthor",
        )
    return person


def _check_room(page: ArticlePage, user: User) -> None:
    waiting = Invitation.objects.filter(
        page__translation_key=page.translation_key, status=Invitation.Status.PENDING
    ).count()
    if Authorship.objects.filter(page=page).count() + waiting >= MAX_AUTHORS:
        raise Invalid(_("A work has at most %(most)d authors.") % {"most": MAX_AUTHORS}, code="coauthor")
    today = Invitation.objects.filter(invited_by=user, created_at__gt=clock.now() - timedelta(days=1))
    if today.count() >= MAX_INVITATIONS_A_DAY:
        raise Invalid(_("These are many invitations for one day. Send the next one tomorrow."), code="coauthor")


def _get_pending(user: User, invitation_id: int) -> Invitation:
    waiting = waiting_for(user).filter(pk=invitation_id).first()
    if waiting is None:
        raise Missing(_("No such invitation waits for your answer."))
    return waiting
