"""What is owed to whom, and asking for a payout to one of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.core.errors import DomainError
from sishu.payouts import payouts, selectors
from sishu.payouts.models import PayeeAccount
from sishu.web.payouts import PurseForm
from sishu.web.studio.actions import Action
from sishu.web.studio.lists import Facts
from sishu.web.studio.payouts import CAUTION


class PayableView(PermissionRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """Every creator's money, by book and currency."""

    permission_required = roles.VIEW_PAYOUT
    template_name = "studio/payable.html"
    page_title = _("Owed to creators")
    header_icon = "group"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_ask = self.request.user.has_perm(roles.REQUEST_PAYOUT)
        return super().get_context_data(purses=selectors.payable(), may_ask=may_ask, **kwargs)


class RequestPayout(Action):
    """Ask for a payout to a creator."""

    needs_reauthentication = True
    model = User
    permission_required = roles.REQUEST_PAYOUT
    form_class = PurseForm
    page_title = _("Ask for a payout")
    button = _("Ask for the payout")
    caution = CAUTION

    def may_see(self) -> bool:
        return True  # who may ask for payouts sees what everybody has

    def get_success_url(self) -> str:
        return reverse("payable:index")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        owed = {"url": self.get_success_url(), "label": str(PayableView.page_title)}
        return [*self.breadcrumbs_items, owed, {"url": "", "label": self.get_page_title()}]

    def get_page_subtitle(self) -> str:
        return str(self.object.name)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "purses": selectors.purses_of(self.object)}

    def get_question(self) -> str:
        return gettext(
            "The amount leaves what %(payee)s can be paid and waits for another person’s approval. They have a mail about it."
        ) % {"payee": self.object.name}

    def get_facts(self) -> Facts:
        account = PayeeAccount.objects.filter(user=self.object).first()
        told = f"{account.get_method_display()} {account.tail}" if account else _("none named yet")
        return [
            (_("Account"), told),
            *(
                (f"{purse.book.label} · {purse.currency}", purse.available)
                for purse in selectors.purses_of(self.object)
            ),
        ]

    def form_valid(self, form: PurseForm) -> HttpResponse:  # type: ignore[override]
        try:
            payout = payouts.request(self.object, form.cleaned_data["money"], by=self.person, book=form.book)
        except DomainError as error:
            messages.error(self.request, str(error))
            return redirect(self.get_success_url())
        told = {"money": payout.money, "payee": self.object.name}
        messages.success(self.request, gettext("%(money)s to %(payee)s wait for another person’s approval.") % told)
        return redirect("payouts:inspect", payout.pk)


class PayableMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(roles.VIEW_PAYOUT))


class PayableViewSet(ViewSet):
    """The page of what is owed."""

    name = "payable"
    icon = "group"
    menu_label = _("Owed to creators")
    menu_item_class = PayableMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", PayableView.as_view(), name="index"),
            path("request/<int:pk>/", RequestPayout.as_view(), name="request"),
        ]
