"""Who may look at what in the back office. Nobody may add, change or delete a row of the books there: not even a superuser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce.models import Offer, Order, Payment, Refund
from sishu.content.first_checks import REVIEW
from sishu.jobs.models import JobRun
from sishu.ledger.models import Journal
from sishu.moderation.models import Case
from sishu.outbox.models import Delivery
from sishu.payouts.models import Payout

VIEW = "view"

Person = User | AnonymousUser


class ReadOnly(ModelPermissionPolicy):
    """Looking by Django's permission to view; nothing else, for anybody."""

    def user_has_permission(self, user: Person, action: str) -> bool:
        return action == VIEW and bool(super().user_has_permission(user, VIEW))

    def user_has_any_permission(self, user: Person, actions: Iterable[str]) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)

    def users_with_any_permission(self, actions: Iterable[str]) -> QuerySet[Any]:
        return super().users_with_any_permission({VIEW} & set(actions))


class OwnDutyCases(ReadOnly):
    """Reviewers look at reviews, those who may give money back at all other cases, those who may view cases at all."""

    def user_has_permission(self, user: Person, action: str) -> bool:
        return action == VIEW and any(
            user.has_perm(duty) for duty in (roles.VIEW_CASE, roles.REVIEW_WORK, roles.REFUND_PAYMENT)
        )

    def user_has_permission_for_instance(self, user: Person, action: str, instance: Any) -> bool:
        return self.instances_user_has_permission_for(user, action).filter(pk=instance.pk).exists()

    def instances_user_has_any_permission_for(self, user: Person, actions: Iterable[str]) -> QuerySet[Any]:
        cases = Case.objects.all() if VIEW in set(actions) else Case.objects.none()
        if user.has_perm(roles.VIEW_CASE):
            return cases
        if not user.has_perm(roles.REVIEW_WORK):
            cases = cases.exclude(kind=REVIEW)
        return cases if user.has_perm(roles.REFUND_PAYMENT) else cases.filter(kind=REVIEW)


def register() -> None:
    """Tell Wagtail, before it makes policies of its own for these models."""
    for model in (Order, Payment, Refund, Payout, Offer, Journal, JobRun, Delivery):
        register_permission_policy(model, ReadOnly(model))
    register_permission_policy(Case, OwnDutyCases(Case))
