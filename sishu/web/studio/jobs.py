"""Jobs in the back office: what the machine did, and what it could not do."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column

from sishu.jobs.models import JobRun
from sishu.web.studio.lists import DetailView, Facts, ReadOnlyViewSet, date_filter, status_filter


class JobFilters(WagtailFilterSet):
    status = status_filter(JobRun)
    created_at = date_filter(_("Since"))

    class Meta:
        model = JobRun
        fields = ["status", "created_at"]


class JobDetail(DetailView):
    """One job. Its arguments are not shown: they may hold what was meant for one person."""

    def get_facts(self) -> Facts:
        job = self.object
        return [
            (_("Task"), job.task),
            (_("Status"), job.get_status_display()),
            (_("Attempts"), f"{job.attempts} / {job.max_attempts}"),
            (_("Since"), job.created_at),
            (_("Not before"), job.run_after),
            (_("Finished"), job.finished_at),
            (_("Worker"), job.worker),
            (_("Last error"), format_html("<pre>{}</pre>", job.last_error)),
        ]


class JobViewSet(ReadOnlyViewSet):
    """The list of jobs, newest first."""

    model = JobRun
    name = "jobs"
    icon = "cogs"
    menu_label = _("Jobs")
    ordering = "-id"
    inspect_view_class = JobDetail
    filterset_class = JobFilters
    search_fields = ["task", "error_class"]
    list_display = [
        "task",
        Column("get_status_display", label=_("Status"), sort_key="status"),
        Column("attempts", label=_("Attempts"), sort_key="attempts"),
        Column("error_class", label=_("Kind of error"), sort_key="error_class"),
        Column("created_at", label=_("Since"), sort_key="created_at"),
        Column("finished_at", label=_("Finished"), sort_key="finished_at"),
    ]
