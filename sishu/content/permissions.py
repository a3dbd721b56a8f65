"""Creators see and touch their own works only, in every corner of the studio.

Wagtail's page permissions hang on branches of the tree, and a creator's branch would be the whole house. So the group
"creator" may only add, and three doors narrow that to what the person wrote: the policy (lists, explorer, history,
reports, search), the tester (single pages), and the hooks of `web` (choosers).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from wagtail.models import Page, PagePermissionTester
from wagtail.permission_policies.pages import PagePermissionPolicy

from sishu.accounts.models import User

# Whoever may do one of these anywhere works for the house, and sees the whole of it.
STAFF_CODENAMES = frozenset({"change_page", "publish_page"})
_policy = PagePermissionPolicy()


def is_page_staff(user: User | AnonymousUser) -> bool:
    """Whether page permissions make this person more than a creator."""
    if user.is_superuser:
        return True
    granted = _policy.get_cached_permissions_for_user(user)
    return any(grant.permission.codename in STAFF_CODENAMES for grant in granted)


def own_pages(user: User | AnonymousUser) -> Q:
    """Pages of this person: their rooms, what they made, what they are an author of."""
    return Q(owner_id=user.pk) | Q(creatorhub__user_id=user.pk) | Q(authorships__user_id=user.pk)


def own_paths(user: User | AnonymousUser) -> list[str]:
    """Where they stand in the tree. Plain values, because the studio searches what it filters, and search knows no joins."""
    return list(Page.objects.filter(own_pages(user)).order_by().values_list("path", flat=True).distinct())


def is_own(page: Page, user: User) -> bool:
    """Whether `page` is one of this person's pages."""
    return Page.objects.filter(own_pages(user), pk=page.pk).exists()


def own_uploads(uploads: QuerySet[Any], user: User | AnonymousUser) -> QuerySet[Any]:
    """All uploads for who works for the house, one's own for a creator."""
    return uploads if is_page_staff(user) else uploads.filter(uploaded_by_user=user)


class OwnPages(PagePermissionPolicy):
    """Wagtail's policy for the staff; for creators the same, cut down to their own pages."""

    def explorable_instances(self, user: User) -> QuerySet[Any]:
        pages = super().explorable_instances(user)
        if is_page_staff(user):
            return pages
        own = set(own_paths(user))
        step = Page.steplen
        ways = {path[:end] for path in own for end in range(step, len(path), step)}
        return pages.filter(path__in=own | ways)

    def instances_user_has_any_permission_for(self, user: User, actions: Iterable[str]) -> QuerySet[Any]:
        pages = super().instances_user_has_any_permission_for(user, actions)
        if is_page_staff(user):
            return pages
        return pages.filter(path__in=own_paths(user))

    def user_has_any_permission_for_instance(self, user: User, actions: Iterable[str], instance: Model) -> bool:
        allowed: bool = super().user_has_any_permission_for_instance(user, actions, instance)
        if is_page_staff(user):
            return allowed
        if not user.is_active or not is_own(instance, user):
            return False
        # A co-author is not the owner, so Wagtail alone would not let them change what they write.
        return allowed or ("change" in set(actions) and self.user_has_permission(user, "add"))


class OwnPagesTester(PagePermissionTester):
    """What a person may do with one page."""

    def __init__(self, user: User, page: Page) -> None:
        super().__init__(user, page)
        self.is_creator = user.is_active and not is_page_staff(user)
        self.is_own = self.is_creator and is_own(page, user)
        if self.is_creator and not self.is_own:
            self.permissions: set[str] = set()

    def can_edit(self) -> bool:
        return super().can_edit() or (self.is_own and "add" in self.permissions)

    def can_submit_for_moderation(self) -> bool:
        return super().can_submit_for_moderation() and self.can_edit()

    def can_view_revisions(self) -> bool:
        return super().can_view_revisions() and self.can_edit()

    # Destinations arrive as bare Pages, whose own tester knows nothing of rooms.
    def can_move_to(self, destination: Page) -> bool:
        return super().can_move_to(destination.specific)

    def can_copy_to(self, destination: Page, recursive: bool = False) -> bool:
        return super().can_copy_to(destination.specific, recursive)


class OwnPagesMixin:
    """For page models: asks OwnPagesTester."""

    def permissions_for_user(self, user: User) -> OwnPagesTester:
        """What `user` may do with this page."""
        return OwnPagesTester(user, self)
