"""Writing together: who asks whom in, and who leaves. A part in a work is a part in all its languages."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.content.models import ArticlePage, Authorship
from sishu.core.errors import Invalid, Missing, NotAllowed

MAX_AUTHORS = 10


def is_lead_author(page: ArticlePage, user: User) -> bool:
    """Whether this person began the work: they set its price and who shares in it. Co-authors write."""
    return Authorship.objects.filter(page_id=page.pk, user_id=user.pk, role=Authorship.Role.AUTHOR).exists()


def check_lead_author(page: ArticlePage, user: User) -> None:
    """NotAllowed for a co-author."""
    if not is_lead_author(page, user):
        raise NotAllowed(_("Only the author who began this work sets its price and its co-authors. Ask them to."))


def family(page: ArticlePage) -> list[ArticlePage]:
    """The work in every language, held until the transaction ends."""
    languages = ArticlePage.objects.select_for_update().filter(translation_key=page.translation_key).defer("body")
    return list(languages.order_by("pk"))


@transaction.atomic
def invite(page: ArticlePage, user: User, username: str) -> User:
    """Make somebody who may publish here a co-author. Invalid for anybody else, in the same words."""
    check_lead_author(page, user)
    name = username.strip()
    person = people.find_by_login(name) if name and "@" not in name else None
    if person is None or not person.is_active or not people.may_publish(person):
        raise Invalid(
            _("“%(name)s” is nobody who may publish here. Check the user name, or ask the owner to invite them.")
            % {"name": name[:60]},
            code="coauthor",
        )
    languages = family(page)
    if Authorship.objects.filter(page=page).count() >= MAX_AUTHORS:
        raise Invalid(_("A work has at most %(most)d authors.") % {"most": MAX_AUTHORS}, code="coauthor")
    for one in languages:
        Authorship.objects.get_or_create(page_id=one.pk, user=person, defaults={"role": Authorship.Role.COAUTHOR})
    return person


@transaction.atomic
def remove(page: ArticlePage, user: User, person_id: int) -> User:
    """End somebody's part as co-author. Money of sales made until now stays theirs."""
    check_lead_author(page, user)
    parts = Authorship.objects.filter(page__in=family(page), user_id=person_id, role=Authorship.Role.COAUTHOR)
    part = parts.select_related("user").first()
    if part is None:
        raise Missing(_("There is no such co-author of this work."))
    parts.delete()
    return part.user
