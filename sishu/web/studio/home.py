"""The first page of the studio: what waits for whom, and how the day goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import selectors
from sishu.content import workflow
from sishu.content.first_checks import REVIEW
from sishu.core import clock
from sishu.jobs import selectors as jobs
from sishu.jobs.models import JobRun
from sishu.ledger.models import Book
from sishu.moderation.models import Case
from sishu.outbox import relay
from sishu.payouts.models import Payout


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing to know at a glance, and where to read on."""

    value: str
    words: str
    url: str
    is_urgent: bool = False


class TodayPanel(Component):
    """The figures this person has a duty for; nothing at all when there are none."""

    name = "today"
    template_name = "studio/today.html"
    order = 50

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        user = parent_context["request"].user
        return {"figures": [*_waiting(user), *_open_cases(user), *_payouts(user), *_sales(user), *_failing(user)]}


def _waiting(user: User) -> list[Figure]:
    if not user.has_perm(roles.REVIEW_WORK):
        return []
    count = workflow.waiting_for(user).count()
    words = ngettext("work waits for your review", "works wait for your review", count)
    return [Figure(str(count), words, f"{reverse('cases:index')}?kind={REVIEW}&status={Case.Status.OPEN}", bool(count))]


def _open_cases(user: User) -> list[Figure]:
    if not (user.has_perm(roles.REFUND_PAYMENT) or user.has_perm(roles.VIEW_CASE)):
        return []
    count = Case.objects.filter(status=Case.Status.OPEN).exclude(kind=REVIEW).count()
    words = ngettext("case waits for a decision", "cases wait for a decision", count)
    return [Figure(str(count), words, f"{reverse('cases:index')}?status={Case.Status.OPEN}", bool(count))]


def _payouts(user: User) -> list[Figure]:
    if not user.has_perm(roles.APPROVE_PAYOUT):
        return []
    asked, agreed = (Payout.objects.filter(status=status).count() for status in Payout.OPEN)
    url = reverse("payouts:index")
    figures = []
    if asked:
        words = ngettext("payout waits for a second person", "payouts wait for a second person", asked)
        figures.append(Figure(str(asked), words, f"{url}?status={Payout.Status.REQUESTED}", True))
    if agreed:
        words = ngettext("payout waits to be transferred", "payouts wait to be transferred", agreed)
        figures.append(Figure(str(agreed), words, f"{url}?status={Payout.Status.APPROVED}", True))
    return figures


def _sales(user: User) -> list[Figure]:
    if not user.has_perm(roles.VIEW_ORDER):
        return []
    today = localtime(clock.now()).date()
    url = f"{reverse('orders:index')}?created_at_from={today:%Y-%m-%d}"
    sold = selectors.sales_since(make_aware(datetime.combine(today, time.min)))
    figures = []
    for sales in sold:
        words = ngettext("from %(count)d sale today", "from %(count)d sales today", sales.count) % {
            "count": sales.count
        }
        if sales.book == Book.SANDBOX:
            words = _("%(words)s, in play money") % {"words": words}
        figures.append(Figure(str(sales.gross), words, url))
    return figures or [Figure("0", _("sales today"), url)]


def _failing(user: User) -> list[Figure]:
    figures = []
    if user.has_perm(roles.VIEW_JOB) and (count := jobs.failed_count()):
        words = ngettext("job was given up", "jobs were given up", count)
        figures.append(Figure(str(count), words, f"{reverse('jobs:index')}?status={JobRun.Status.FAILED}", True))
    if user.has_perm(roles.VIEW_DELIVERY) and (count := relay.failing().count()):
        words = ngettext("delivery keeps failing", "deliveries keep failing", count)
        figures.append(Figure(str(count), words, f"{reverse('deliveries:index')}?failing=true", True))
    return figures
