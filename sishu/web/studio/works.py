"""Works in the back office: the house withdraws one, whoever wrote it, and brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSet
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import terms
from sishu.content import writing
from sishu.content.models import ArticlePage
from sishu.web.studio.actions import Action
from sishu.web.studio.lists import Facts


class WithdrawalForm(forms.Form):
    """Why: for the authors, and for whoever asks later."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Kept in the work’s history. Its authors read it.")
    )


class WorkAction(Action):
    """Something the house does to a work in every language, beside its authors."""

    model = ArticlePage
    permission_required = roles.WITHDRAW_WORK
    form_class = WithdrawalForm

    def may_see(self) -> bool:
        return bool(self.object.permissions_for_user(self.request.user).can_edit())

    def get_facts(self) -> Facts:
        languages = dict(settings.LANGUAGES)
        pages = self.object.get_translations(inclusive=True).select_related("locale")
        return [(languages[page.locale.language_code], page.title) for page in pages]

    def get_success_url(self) -> str:
        return reverse("wagtailadmin_pages:edit", args=(self.object.pk,))

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": self.get_success_url(), "label": str(self.object)},
            {"url": "", "label": self.get_page_title()},
        ]


class WithdrawWork(WorkAction):
    """Off the shelves and off sale; those who own it keep it."""

    page_title = _("Withdraw")
    button = _("Withdraw this work")
    is_serious = True

    def get_question(self) -> str:
        return gettext(
            "“%(title)s” leaves the lists, search and feeds in every language, and is sold no more. Those who bought it "
            "go on reading it; for everybody else its address says that it is gone. Its authors cannot bring it back."
        ) % {"title": self.object.title}

    def act(self, **said: Any) -> str:
        terms.withdraw(self.object, self.person, said["reason"])
        return gettext("Withdrawn. Those who bought it keep it; nobody else finds it.")


class RestoreWork(WorkAction):
    """Back on the shelves, not yet on sale."""

    page_title = _("Bring back")
    button = _("Put it back on the shelves")

    def get_question(self) -> str:
        return gettext(
            "“%(title)s” returns to the lists and to search, in every language. It is not for sale until its author sets "
            "its price again."
        ) % {"title": self.object.title}

    def get_facts(self) -> Facts:
        work = self.object
        return [
            *super().get_facts(),
            (_("Withdrawn by"), work.withdrawn_by.name if work.withdrawn_by else ""),
            (_("Withdrawn on"), work.withdrawn_at),
            (_("Reason"), writing.withdrawal_reason(work)),
        ]

    def act(self, **said: Any) -> str:
        writing.restore(self.object, self.person, said["reason"])
        return gettext("Back on the shelves. To sell it again, set its price.")


class WorkViewSet(ViewSet):
    """The addresses of the two actions: works are found where pages are, so the menu has no entry for them."""

    name = "works"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("withdraw/<int:pk>/", WithdrawWork.as_view(), name="withdraw"),
            path("restore/<int:pk>/", RestoreWork.as_view(), name="restore"),
        ]


def withdrawal_buttons(page: Page, user: User) -> Iterator[Button]:
    """For a page's menu: whichever of the two actions there is to do, for who may."""
    if not isinstance(page, ArticlePage) or not user.has_perm(roles.WITHDRAW_WORK):
        return
    if page.withdrawn_at:
        url = reverse("works:restore", args=(page.pk,))
        yield Button(_("Bring back"), url, icon_name="view", priority=80)
    elif page.live:
        url = reverse("works:withdraw", args=(page.pk,))
        yield Button(_("Withdraw"), url, icon_name="no-view", priority=80)
