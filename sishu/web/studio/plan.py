"""The plan of the whole house: its price, and who shares in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import offers
from sishu.commerce.models import Offer
from sishu.content.models import HomePage
from sishu.core.errors import DomainError, Invalid
from sishu.core.money import Money
from sishu.web import editor_input


class PlanForm(forms.Form):
    """What the plan is called and costs."""

    title = forms.CharField(label=_("Title"), max_length=160, help_text=_("As buyers read it on their order."))
    price = forms.CharField(label=_("Price a month"), max_length=20)

    def clean_price(self) -> Money:
        try:
            return Money(editor_input.money(self.cleaned_data["price"]), settings.CURRENCY)
        except Invalid as error:
            raise forms.ValidationError(
                _("Write an amount of %(currency)s, such as 30 or 29.90."), params={"currency": settings.CURRENCY}
            ) from error


class ShareForm(forms.Form):
    """One payee's part. A line left empty is no payee."""

    payee = forms.ModelChoiceField(label=_("Payee"), queryset=User.objects.none(), required=False)
    percent = forms.DecimalField(
        label=_("Percent"), min_value=Decimal("0.01"), max_value=100, decimal_places=2, max_digits=5, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        writers = User.objects.filter(groups__name__in=[roles.CREATOR, roles.OWNER], is_active=True)
        # Whoever has a share keeps being shown, also after they stopped writing here.
        payees = User.objects.filter(revenue_shares__isnull=False)
        self.fields["payee"].queryset = (writers | payees).distinct().order_by("username")  # type: ignore[attr-defined]
        self.fields["payee"].label_from_instance = lambda user: f"{user.name} ({user.username})"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if bool(said.get("payee")) != bool(said.get("percent")) and not self.errors:
            raise forms.ValidationError(_("A share needs both a payee and a percentage. Fill in both, or neither."))
        return said


class BaseShares(forms.BaseFormSet):
    """The shares together: each payee once."""

    def clean(self) -> None:
        payees = [form.cleaned_data["payee"] for form in self.forms if form.cleaned_data.get("payee")]
        if len(payees) != len(set(payees)):
            raise forms.ValidationError(_("A payee stands here twice. Add the two parts up in one line."))


ShareFormSet = forms.formset_factory(ShareForm, formset=BaseShares, extra=3, max_num=100, absolute_max=100)


def basis_points(shares: forms.BaseFormSet) -> dict[int, int]:
    """Payee's user id → basis points of a valid set of shares."""
    said = [form.cleaned_data for form in shares.forms if form.cleaned_data.get("payee")]
    return {one["payee"].pk: int(one["percent"] * 100) for one in said}


class PlanView(WagtailAdminTemplateMixin, TemplateView):
    """Price the plan that opens the whole house for a month, or take it off sale."""

    template_name = "studio/plan.html"
    page_title = _("Plan")
    header_icon = "calendar-alt"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(roles.CHANGE_OFFER):
            raise PermissionDenied
        self.home = _home()
        self.plan = _open_plan(self.home)
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "close" in request.POST:
            offers.close(self.home, interval=Offer.Interval.MONTH)
            messages.success(request, gettext("The plan is off sale. Months already paid for run to their end."))
            return redirect("plan:index")
        form, shares = PlanForm(request.POST), ShareFormSet(request.POST, prefix="shares")
        if not (form.is_valid() and shares.is_valid()):
            return self._again(form, shares)
        try:
            with transaction.atomic():
                offer = offers.price(
                    self.home, form.cleaned_data["price"], interval=Offer.Interval.MONTH,
                    title=form.cleaned_data["title"], shares=basis_points(shares),
                )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error))
            return self._again(form, shares)
        messages.success(request, gettext("%(offer)s is on sale.") % {"offer": offer})
        return redirect("plan:index")

    def _again(self, form: PlanForm, shares: forms.BaseFormSet) -> HttpResponse:
        messages.error(self.request, gettext("The plan was not changed: see below."))
        return self.render_to_response(self.get_context_data(form=form, shares=shares), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("form", PlanForm(initial=self._present()))
        kwargs.setdefault("shares", ShareFormSet(initial=self._present_shares(), prefix="shares"))
        return super().get_context_data(plan=self.plan, currency=settings.CURRENCY, **kwargs)

    def _present(self) -> dict[str, str]:
        return {"title": self.plan.title, "price": self.plan.price.decimal()} if self.plan else {}

    def _present_shares(self) -> list[dict[str, Any]]:
        shares = self.plan.shares.all() if self.plan else []
        return [{"payee": share.payee_id, "percent": Decimal(share.share_bps) / 100} for share in shares]


class PlanMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(roles.CHANGE_OFFER))


class PlanViewSet(ViewSet):
    """The page of the plan."""

    name = "plan"
    icon = "calendar-alt"
    menu_label = _("Plan")
    menu_item_class = PlanMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("", PlanView.as_view(), name="index")]


def _home() -> HomePage:
    """The title page in the site's own language; an offer of it holds in every language."""
    return HomePage.objects.get(locale__language_code=settings.LANGUAGE_CODE)


def _open_plan(home: HomePage) -> Offer | None:
    return offers.find_open(home, Offer.Interval.MONTH)
