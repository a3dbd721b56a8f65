"""The versions of works that saving leaves behind, every few seconds while somebody writes."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from wagtail.models import Page, PageLogEntry, Revision, TaskState

from sishu.core import clock


def prune(days: int | None = None, *, step: int = 100) -> int:
    """Forget versions older than `days` (by default DRAFT_HISTORY_DAYS) that were only stages of writing.

    What readers saw, what a reviewer was shown, what waits for its moment and the newest version stay. With 0 days all
    do. Returns how many went.
    """
    days = settings.DRAFT_HISTORY_DAYS if days is None else days
    if not days:
        return 0
    stages = _stages().filter(created_at__lt=clock.now() - timedelta(days=days)).order_by("created_at", "pk")
    count = 0
    # In steps: one long DELETE would keep SQLite's single writer waiting.
    while batch := list(stages.defer("content")[:step]):
        with transaction.atomic():
            for revision in batch:
                revision.delete()  # one by one: Wagtail hands an editor's comments on to the next version
        count += len(batch)
    return count


def _stages() -> QuerySet[Revision]:
    """Versions of pages that nothing points to."""
    used = Page.objects.filter(Q(live_revision=OuterRef("pk")) | Q(latest_revision=OuterRef("pk")))
    shown = TaskState.objects.filter(revision=OuterRef("pk"))
    published = PageLogEntry.objects.filter(revision=OuterRef("pk"), action="wagtail.publish")
    stages: QuerySet[Revision] = Revision.page_revisions.filter(
        ~Exists(used), ~Exists(shown), ~Exists(published), approved_go_live_at=None
    )
    return stages
