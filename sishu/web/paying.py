"""From an order to its money: to the provider's page, or to our own, where one scans, pays in WeChat or reads an account."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sishu.accounts.models import User
from sishu.commerce import merchants, orders, payments, selectors
from sishu.commerce.models import Order, Payment
from sishu.core import clock
from sishu.core.errors import DomainError, Missing, NotSignedIn
from sishu.gateways.base import (
    BankTransfer,
    Device,
    GatewayError,
    Instruction,
    KnowsPayers,
    PaymentGateway,
    Redirect,
    ScanCode,
    WeixinBridge,
)
from sishu.ledger.models import Book
from sishu.web import answers, payers
from sishu.web.devices import client_ip, device_of

KINDS = {Redirect: "redirect", ScanCode: "scan_code", WeixinBridge: "weixin_bridge", BankTransfer: "bank_transfer"}
LETTERS_IN_A_GROUP = 3  # of a transfer's code, as people read it aloud


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the buyer's browser goes on, and what is to be done there; None until the provider knows who pays."""

    url: str
    instruction: Instruction | None
    expires_at: datetime | None

    def as_json(self, request: HttpRequest) -> dict[str, Any]:
        """The fields of an answer to a program."""
        told = describe(self.instruction) if self.instruction is not None else None
        url = request.build_absolute_uri(self.url)
        return {"payment_url": url, "instruction": told, "payment_expires_at": self.expires_at}


def begin(request: HttpRequest, order: Order, gateway_name: str, device: Device) -> Beginning:
    """Open an attempt to collect the order, or find the open one. Raises WrongStatus, ProviderSilent."""
    own_page = pay_path(order, gateway_name)
    if payers.where_to_identify(request, order, gateway_name, device):
        return Beginning(own_page, None, None)
    payment, instruction = _start(request, order, gateway_name, device)
    url = instruction.url if isinstance(instruction, Redirect) else own_page
    return Beginning(url, instruction, payment.expires_at)


def lead_on(request: HttpRequest, url: str, order: Order) -> HttpResponseBase:
    """After a form was sent: on to an address of ours, or to a page that leads to the provider's.

    A browser keeps a form from being answered by a redirect to another house (form-action 'self', and with it all that
    the other one redirects to), which is what we want of forms; a page that refreshes itself is none.
    """
    if urlsplit(url).netloc in ("", urlsplit(settings.SITE_URL).netloc, request.get_host()):
        return HttpResponseRedirect(url, status=303)
    facts = {"url": url, "order": order, "host": urlsplit(url).hostname}
    return render(request, "shop/leaving.html", facts)


@never_cache
@login_required
@require_safe
@answers.explain_refusals
def pay(request: HttpRequest, number: str) -> HttpResponseBase:
    """Our own page of a payment. Opened again it shows the same payment, as long as that is open."""
    order = selectors.get_own_order(_person(request), number)
    asked = request.GET.get("gateway") or _open_gateway(order)
    if not orders.is_open(order, asked):
        return redirect("payment_return", order.number)
    if "state" in request.GET:
        return _identified(request, order)
    gateway_name = payments.choose_gateway(asked, order.currency)
    device = device_of(request)
    if elsewhere := payers.where_to_identify(request, order, gateway_name, device):
        return HttpResponseRedirect(elsewhere)
    payment, instruction = _start(request, order, gateway_name, device)
    if isinstance(instruction, Redirect):
        return HttpResponseRedirect(instruction.url)
    return render(request, "shop/pay.html", facts_of(payment, instruction))


def facts_of(payment: Payment, instruction: Instruction) -> dict[str, Any]:
    """What the page shows."""
    facts: dict[str, Any] = {
        "order": payment.order,
        "line": payment.order.lines.first(),
        "kind": KINDS[type(instruction)],
        "gateway_name": payment.gateway,
        "gateway_label": payment.gateway_label,
        "instruction": instruction,
        **deadline_of(payment.expires_at),
    }
    if isinstance(instruction, ScanCode):
        facts["code"] = drawn(instruction.text)
        # A simulator's code says an address, which no telephone reaches on somebody's own machine.
        is_play_money = payment.book == Book.SANDBOX
        facts["cashier"] = instruction.text if is_play_money and instruction.text.startswith("http") else ""
    if isinstance(instruction, WeixinBridge):
        facts["parameters_json"] = json.dumps(dict(instruction.parameters))
    if isinstance(instruction, BankTransfer):
        facts["groups"] = grouped(instruction.code)
    return facts


def transfer_facts(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What a page shows of the transfer an order waits for, if that is how its buyer pays. Nothing new is begun by it."""
    begun = order.payments.filter(status=Payment.Status.PENDING).values_list("gateway", flat=True)
    # Also when another way was tried since: the transfer may be on its way.
    name = next(filter(is_patient, begun), "")
    if not name or not orders.is_open(order, name):
        return {}
    try:
        payment, instruction = _start(request, order, name, device_of(request))
    except DomainError:  # the account was taken out of the settings
        return {}
    return facts_of(payment, instruction) if isinstance(instruction, BankTransfer) else {}


def is_patient(gateway_name: str) -> bool:
    """Whether money by this way takes days, so that nobody need sit and wait."""
    if gateway_name not in merchants.usable():
        return False
    gateway: PaymentGateway = merchants.gateway(gateway_name)
    return gateway.time_to_pay is not None


def pay_path(order: Order, gateway_name: str) -> str:
    """The address of our own page for paying this order this way."""
    return f"{reverse('payment_pay', args=[order.number])}?{urlencode({'gateway': gateway_name})}"


def describe(instruction: Instruction) -> dict[str, Any]:
    """What the buyer does next, as JSON answers carry it."""
    said = (
        {"parameters": dict(instruction.parameters)} if isinstance(instruction, WeixinBridge) else asdict(instruction)
    )
    return {"kind": KINDS[type(instruction)], **said}


def drawn(text: str) -> SafeString:
    """A QR code as SVG: black on white with its quiet zone, sized by the page."""
    drawing = segno.make(text, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return mark_safe(drawing)  # noqa: S308  segno writes numbers; the text is in the pattern only


def grouped(code: str) -> list[str]:
    """A code in groups for the eye."""
    return [code[start : start + LETTERS_IN_A_GROUP] for start in range(0, len(code), LETTERS_IN_A_GROUP)]


def deadline_of(moment: datetime) -> dict[str, Any]:
    """A deadline as pages show it."""
    return {"deadline": moment, "time_left": time_left(moment)}


def time_left(until: datetime) -> str:
    """How long somebody still waits, in words: about so many days or hours, or minutes begun."""
    left = max(until - clock.now(), timedelta(0))
    if left > timedelta(days=2):
        days = round(left / timedelta(days=1))
        return ngettext("%(count)d day left.", "%(count)d days left.", days) % {"count": days}
    if left > timedelta(hours=2):
        hours = round(left / timedelta(hours=1))
        return ngettext("%(count)d hour left.", "%(count)d hours left.", hours) % {"count": hours}
    minutes = ceil(left / timedelta(minutes=1))
    return ngettext("%(count)d minute left.", "%(count)d minutes left.", minutes) % {"count": minutes}


def _start(request: HttpRequest, order: Order, gateway_name: str, device: Device) -> tuple[Payment, Instruction]:
    """Ask the provider, and hear what the buyer does next. The provider leads them back to us."""
    back = settings.SITE_URL + reverse("payment_return", args=[order.number])
    payer = payers.remembered(request, order, gateway_name) if device == Device.WEIXIN else ""
    buyer = payments.Buyer(device, client_ip(request), payer)
    payment, started = payments.start(
        order.pk, gateway_name, notify_url=payments.notify_url(gateway_name), return_url=back, buyer=buyer
    )
    return payment, started.instruction


def _identified(request: HttpRequest, order: Order) -> HttpResponseBase:
    """Back from the provider, which says by a code who pays; on to the payment, at an address without the code."""
    gateway_name = payments.choose_gateway(payers.read_state(request.GET["state"], order.user, order), order.currency)
    gateway = merchants.gateway(gateway_name)
    if not isinstance(gateway, KnowsPayers):
        raise Missing(_("There is no such order."))
    try:
        payer = gateway.identify(request.GET.get("code", ""))
    except GatewayError as error:
        raise payments.ProviderSilent(
            _("The payment provider did not say who pays. No money has moved; please start again.")
        ) from error
    payers.remember(request, order, gateway_name, payer)
    return HttpResponseRedirect(pay_path(order, gateway_name))


def _open_gateway(order: Order) -> str:
    """The way by which the buyer last began to pay, while that is open."""
    newest = order.payments.filter(status=Payment.Status.PENDING, expires_at__gt=clock.now()).first()
    return newest.gateway if newest is not None else ""


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise NotSignedIn(_("Sign in first."))
    return request.user


urlpatterns = [path("payment/<str:number>/pay", pay, name="payment_pay")]
