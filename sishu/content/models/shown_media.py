"""Which pictures and files a work shows, and whose they may be: a number is all it takes to name another's upload."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, Q
from django.utils.translation import gettext as _
from wagtail.models import Page, Revision

from sishu.accounts.models import User
from sishu.content import paywall
from sishu.content.models.authorship import Authorship
from sishu.content.models.media import Attachment, Picture
from sishu.content.paywall import Level
from sishu.content.permissions import is_page_staff
from sishu.core.errors import Invalid

Media = tuple[dict[int, Level], dict[int, Level]]
MODELS: tuple[type[Model], type[Model]] = (Picture, Attachment)


def media_levels(raw: list[dict[str, Any]], cover_id: int | None = None) -> Media:
    """The pictures and the files of a body and its cover: id → the lowest level that gets to see it."""
    pictures: dict[int, Level] = {}
    files: dict[int, Level] = {}
    level = Level.PUBLIC
    for block in raw:
        level = max(level, paywall.tier_of(block) or Level.PUBLIC)
        for type_, field, found in (("image", "image", pictures), ("file", "document", files)):
            value = block.get("value")
            if block["type"] == type_ and isinstance(value, dict) and type(value.get(field)) is int:
                found.setdefault(value[field], level)
    if cover_id is not None:
        pictures[cover_id] = Level.PUBLIC
    return pictures, files


def media_of(page: Any) -> Media:
    """The same of a work, or of a version of it."""
    return media_levels(list(page.body.raw_data), page.cover_id)


def check_chosen(chosen: Media, before: Media, user: User) -> None:
    """Invalid when a writer puts something in that is not their own upload. What stood there before may stay."""
    for model, keys, known in zip(MODELS, chosen, before, strict=True):
        fresh = keys.keys() - known.keys()
        own = model._default_manager.filter(pk__in=fresh, uploaded_by_user=user).values_list("pk", flat=True)
        if missing := sorted(fresh - set(own)):
            message = _("%(kind)s %(id)d is not among your uploads. Upload it, or choose another one.")
            raise Invalid(message % {"kind": model._meta.verbose_name, "id": missing[0]}, code="uploads")


def check_shown(page: Any) -> None:
    """Invalid when a version shows what nobody brought who had a hand in the work."""
    for model, keys, admitted in zip(MODELS, media_of(page), admitted_media(page), strict=True):
        if foreign := sorted(keys.keys() - admitted):
            message = _("%(kind)s %(id)d was uploaded by nobody who writes this work. Take it out, or upload your own.")
            raise Invalid(message % {"kind": model._meta.verbose_name, "id": foreign[0]}, code="uploads")


def admitted_media(page: Any) -> tuple[set[int], set[int]]:
    """What of its pictures and files a work may show readers: uploads of who had a hand in it, and of nobody living here.

    Whoever works for the house may choose anybody's uploads; so may a work that they had a hand in.
    """
    pictures, files = media_of(page)
    if not pictures and not files:
        return set(), set()
    hands = _hands(page)
    uploads = [
        model._default_manager.filter(pk__in=keys) for model, keys in zip(MODELS, (pictures, files), strict=True)
    ]
    if not any(is_page_staff(user) for user in hands):
        uploads = [kept.filter(Q(uploaded_by_user__in=hands) | Q(uploaded_by_user=None)) for kept in uploads]
    own_pictures, own_files = (set(kept.values_list("pk", flat=True)) for kept in uploads)
    return own_pictures, own_files


def _hands(page: Any) -> list[User]:
    """The authors of a work and whoever saved a version of it, in all its languages: who left has left their pictures."""
    family = Page.objects.filter(translation_key=page.translation_key).values_list("pk", flat=True)
    keys = [str(key) for key in family]
    authors = Authorship.objects.filter(page__in=family).values_list("user_id", flat=True)
    savers = Revision.page_revisions.filter(object_id__in=keys).values_list("user_id", flat=True)
    return list(User.objects.filter(pk__in={*authors, *savers}))
