"""Merchant keys in the studio: which gateways can be used, and the keys they are made with. Keys come in, and never go out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import gateway_words, merchant_keys, merchants, payments, transfers
from sishu.commerce.merchant_keys import Standing
from sishu.core.errors import DomainError
from sishu.ledger.models import Book
from sishu.web import reauthentication
from sishu.web.studio.lists import Facts
from sishu.web.studio.trials import TrialView

# What arguments of gateways are called; one that is not here is shown by its own name.
LABELS = {
    "account": _("Account number"), "accounts": _("Bank accounts"), "alipay_cert": _("Alipay’s certificate"),
    "api_v3_key": _("API v3 key"), "app_cert": _("App certificate"), "app_id": _("App ID"),
    "app_secret": _("App secret"), "bank": _("Bank"), "cert_serial": _("Serial of the merchant certificate"),
    "currency": _("Currency"), "desktop_product": _("Product on computers"), "mch_id": _("Merchant number"),
    "merchant_id": _("Merchant number"), "payee": _("Payee"), "platform_certs": _("Provider’s certificates"),
    "private_key": _("Private key"), "public_key": _("Provider’s public key"),
    "public_key_id": _("Number of the provider’s public key"), "root_cert": _("Root certificate"),
    "secret": _("Secret"), "secret_key": _("Secret key"), "seller_id": _("Seller number"),
    "webhook_secret": _("Secret of notices"), "webhook_secrets": _("Secrets of notices"),
}  # fmt: skip
# Texts of several lines: keys and certificates as files hold them.
LONG = ("key", "cert", "certs", "keys")
MAX_LENGTH = 20_000


class KeysForm(forms.Form):
    """One field for each argument that the settings leave open. What was typed is not sent back, whatever happens."""

    def __init__(self, *args: Any, standings: list[Standing], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for standing in standings:
            if standing.slot.is_fixed:
                continue
            self.fields[standing.slot.name] = forms.CharField(
                label=label(standing.slot.name), required=False, max_length=MAX_LENGTH, strip=True,
                widget=_widget(standing), help_text=_help(standing),
            )  # fmt: skip
            if standing.is_kept:
                self.fields[_removal(standing.slot.name)] = forms.BooleanField(
                    label=_("Remove: %(name)s") % {"name": label(standing.slot.name)}, required=False
                )
        self.fields["stop_believing"] = forms.BooleanField(
            label=_("The old keys are in wrong hands"), required=False,
            help_text=_("Notices signed for them are refused from now on; otherwise they are believed for a time, since some "
                        "are still on their way."),
        )  # fmt: skip

    def said(self) -> dict[str, str]:
        """What was filled in, by argument."""
        return {name: text for name, text in self.cleaned_data.items() if isinstance(text, str) and text}

    def removed(self) -> list[str]:
        """The arguments to take away."""
        return [name for name in self.fields if self.cleaned_data.get(_removal(name))]


class Unsaid(forms.Textarea):
    """A box that takes a value and never shows one."""

    def format_value(self, value: Any) -> str:
        return ""


class MerchantsView(WagtailAdminTemplateMixin, TemplateView):
    """Every gateway of the settings, and how things stand with it."""

    template_name = "studio/merchants.html"
    page_title = _("Merchant keys")
    header_icon = "key"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(roles.CHANGE_MERCHANT_KEYS):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            gateways=[(name, gateway_words.label_of(name), facts(name)) for name in merchants.names()], **kwargs
        )


class KeysView(WagtailAdminTemplateMixin, FormView):
    """One gateway: its state, its keys, and who changed them when."""

    template_name = "studio/merchant_keys.html"
    form_class = KeysForm
    header_icon = "key"
    name: str
    standings: list[Standing]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(roles.CHANGE_MERCHANT_KEYS):
            raise PermissionDenied
        self.name = kwargs["gateway"]
        if self.name not in merchants.names():
            raise Http404
        # No field is named: keys are not kept in a session while the password is asked for.
        if not reauthentication.is_recent(request):
            return reauthentication.ask(request)
        self.standings = merchant_keys.standing(self.name)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reauthentication.take_up(request) is not None:
            messages.warning(request, gettext("Nothing was changed yet: enter the keys once more, please."))
        return super().get(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return gettext("Keys of %(gateway)s") % {"gateway": gateway_words.label_of(self.name)}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        above = {"url": reverse("merchants:index"), "label": gettext("Merchant keys")}
        return [*self.breadcrumbs_items, above, {"url": "", "label": self.get_page_title()}]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "standings": self.standings}

    def form_valid(self, form: KeysForm) -> HttpResponse:
        assert isinstance(self.request.user, User)  # noqa: S101  for the type checker: a stranger has no permission
        try:
            merchant_keys.change(
                self.name, form.said(), by=self.request.user, removed=form.removed(),
                stop_believing=form.cleaned_data["stop_believing"],
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, gettext("The keys were changed, and every owner is told by mail."))
        return redirect("merchants:keys", self.name)

    def form_invalid(self, form: KeysForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(
            gateway=self.name, facts=facts(self.name), problem=merchants.problem(self.name), standings=self.standings,
            changes=[(one, [label(name) for name in one.names]) for one in merchant_keys.changes(self.name)], **kwargs,
        )  # fmt: skip
        form = context["form"]
        context["rows"] = [
            (standing, label(standing.slot.name), _field(form, standing.slot.name),
             _field(form, _removal(standing.slot.name)))
            for standing in self.standings
        ]  # fmt: skip
        return context


def label(argument: str) -> Any:
    """What an argument is called."""
    return LABELS.get(argument, argument.replace("_", " ").capitalize())


def facts(name: str) -> Facts:
    """How things stand with a gateway."""
    problem = merchants.problem(name)
    return [
        (_("State"), gettext("Cannot be used: %(why)s") % {"why": problem} if problem else _("can be used")),
        (_("Book"), "" if problem else Book(merchants.gateway(name).book).label),
        (
            _("Address for notices, to enter at the provider"),
            "" if name == transfers.GATEWAY else payments.notify_url(name),
        ),
    ]


class MerchantMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(roles.CHANGE_MERCHANT_KEYS))


class MerchantViewSet(ViewSet):
    """The pages of the keys."""

    name = "merchants"
    icon = "key"
    menu_label = _("Merchant keys")
    menu_item_class = MerchantMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", MerchantsView.as_view(), name="index"),
            path("<slug:gateway>/", KeysView.as_view(), name="keys"),
            path("<slug:gateway>/trial/", TrialView.as_view(), name="trial"),
        ]


def _removal(argument: str) -> str:
    return f"remove:{argument}"


def _field(form: forms.Form, name: str) -> forms.BoundField | None:
    return form[name] if name in form.fields else None


def _widget(standing: Standing) -> forms.Widget:
    quiet = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    slot = standing.slot
    if slot.takes_several or slot.name.rpartition("_")[2] in LONG:
        return Unsaid(attrs={**quiet, "rows": 3})
    if slot.is_secret:
        return forms.PasswordInput(render_value=False, attrs={**quiet, "autocomplete": "new-password"})
    return forms.TextInput(attrs=quiet)


def _help(standing: Standing) -> str:
    said = []
    if standing.is_kept and standing.ending:
        said.append(gettext("Set; ends in …%(ending)s. Empty: stays as it is.") % {"ending": standing.ending})
    elif standing.is_kept:
        said.append(gettext("Set. Empty: stays as it is."))
    if standing.slot.takes_several:
        said.append(gettext("One a line; put the new one beside the old until the provider has changed over."))
    return " ".join(said)
