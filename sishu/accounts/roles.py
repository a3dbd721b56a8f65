"""Who may do what in the back office: roles as data, kept in step with Django's groups after every migrate.

A role's permissions stand here and nowhere else: `sync` takes away what was given by hand. Rights over pages and
collections (Wagtail's own tables) belong to the content package.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission
from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import Q

from sishu.accounts.models import User

OWNER, REVIEWER, CREATOR, FINANCE, SUPPORT, MEMBER = "owner", "reviewer", "creator", "finance", "support", "member"

EVERYTHING = "*"
# Permissions that code asks for, each by its one name.
STUDIO = "wagtailadmin.access_admin"
REVIEW_WORK = "moderation.review_work"
WITHDRAW_WORK = "content.withdraw_work"
VIEW_CASE = "moderation.view_case"
VIEW_ORDER = "commerce.view_order"
CHANGE_OFFER = "commerce.change_offer"
REFUND_PAYMENT = "commerce.refund_payment"
RECORD_TRANSFER = "commerce.record_transfer"
EXPLAIN_ACCESS = "commerce.explain_access"
CHANGE_MERCHANT_KEYS = "commerce.change_merchantkeys"
VIEW_PAYOUT = "payouts.view_payout"
REQUEST_PAYOUT = "payouts.request_payout"
APPROVE_PAYOUT = "payouts.approve_payout"
VIEW_TRANSFER = "ledger.view_transfer"
VIEW_JOB = "jobs.view_jobrun"
VIEW_DELIVERY = "outbox.view_delivery"

MOVES_MONEY = (REFUND_PAYMENT, RECORD_TRANSFER, REQUEST_PAYOUT, APPROVE_PAYOUT, CHANGE_MERCHANT_KEYS)

BOOKS = (
    VIEW_ORDER,
    "commerce.view_orderline",
    "commerce.view_payment",
    "commerce.view_refund",
    "commerce.view_dispute",
    "commerce.view_receivednotice",
    "commerce.view_providerbill",
    "commerce.view_entitlement",
    "ledger.view_account",
    "ledger.view_balance",
    "ledger.view_journal",
    VIEW_TRANSFER,
)

# role → permissions as "app.codename". Those of an app that is not installed (yet) wait for the migrate that brings it.
ROLES: dict[str, tuple[str, ...]] = {
    OWNER: (EVERYTHING,),
    REVIEWER: (STUDIO, REVIEW_WORK, WITHDRAW_WORK),
    CREATOR: (STUDIO,),
    FINANCE: (
        STUDIO,
        *BOOKS,
        REFUND_PAYMENT,
        RECORD_TRANSFER,
        EXPLAIN_ACCESS,
        VIEW_PAYOUT,
        REQUEST_PAYOUT,
        APPROVE_PAYOUT,
    ),
    SUPPORT: (STUDIO, EXPLAIN_ACCESS),
    MEMBER: (),
}

# Nobody needs these in the studio: reading a session is taking it over.
UNGRANTABLE_APPS = ("sessions", "contenttypes")


def assign(user: User, role: str) -> None:
    """Give a person a role. Giving it twice is giving it once."""
    user.groups.add(_group(role))
    _forget_permissions(user)


def revoke(user: User, role: str) -> None:
    """Take a role away from a person, if they have it."""
    user.groups.remove(_group(role))
    _forget_permissions(user)


def has_role(user: AbstractBaseUser | AnonymousUser, *roles: str) -> bool:
    """Whether the person has one of these roles. Being a superuser is not a role."""
    for role in roles:
        _check(role)
    return user.is_authenticated and Group.objects.filter(user=user.pk, name__in=roles).exists()


def find_money_movers() -> set[int]:
    """The ids of those who can move money in the studio: by a role, another group, by hand, or as superusers."""
    groups = Group.objects.filter(permissions__in=_named(MOVES_MONEY))
    may = Q(is_superuser=True) | Q(groups__in=groups) | Q(user_permissions__in=_named(MOVES_MONEY))
    return set(User.objects.filter(may, is_active=True).values_list("pk", flat=True))


def sync() -> None:
    """Make each group hold exactly its role's permissions, as far as these exist. Writes only what differs."""
    for role in ROLES:
        group = _group(role)
        wanted = set(_permissions(role).values_list("pk", flat=True))
        present = set(group.permissions.values_list("pk", flat=True))
        group.permissions.add(*wanted - present)
        group.permissions.remove(*present - wanted)


def sync_after_migrate(
    sender: AppConfig, using: str = DEFAULT_DB_ALIAS, apps: Apps = installed, **_kwargs: Any
) -> None:
    """Receiver of `post_migrate`. Django sends it app by app, so the permissions are complete with the last one."""
    last = [config for config in installed.get_app_configs() if config.models_module is not None][-1]
    if sender.label != last.label or not router.allow_migrate_model(using, Group):
        return
    try:
        apps.get_model("auth", "Group")
    except LookupError:  # migrated back to before there were groups
        return
    sync()


def _permissions(role: str) -> Any:
    if EVERYTHING in ROLES[role]:
        return Permission.objects.exclude(content_type__app_label__in=UNGRANTABLE_APPS)
    return _named(ROLES[role])


def _named(names: Iterable[str]) -> Any:
    wanted = Q(pk__in=())
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return Permission.objects.filter(wanted)


def _group(role: str) -> Group:
    return Group.objects.get_or_create(name=_check(role))[0]


def _check(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"No role {role!r}; known: {', '.join(ROLES)}.")
    return role


def _forget_permissions(user: User) -> None:
    # ModelBackend remembers on the object what it found; a role given now must count now.
    for remembered in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(remembered, None)
