"""Buying: the checkout, the way to the provider and back, and the orders one made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import orders, payments, refunds, selectors, ways_to_pay
from sishu.commerce.models import Offer, Order, Payment, Refund
from sishu.core import clock
from sishu.core.errors import Invalid, Missing, NotSignedIn
from sishu.core.ids import parse_id
from sishu.web import answers, context, listings, paths, payers, paying
from sishu.web.devices import device_of

MAX_ORDERS = 100


@dataclass(frozen=True, slots=True)
class Way:
    """An offer as the buyer reads it: its title in their language, and the page whose cover stands for it."""

    offer: Offer
    title: str
    page: Page | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What the checkout offers: one or two ways to open the same work, the chosen one first."""

    ways: tuple[Way, ...]

    @property
    def chosen(self) -> Way:
        return self.ways[0]


@never_cache
@answers.explain_refusals
def checkout(request: HttpRequest) -> HttpResponseBase:
    """GET shows what it costs; POST places the order and leads to the provider.

    Which offer is all a client may say: amount, currency, payee and status in a request are not even read.
    """
    asked = answers.read_body(request) if request.method == "POST" else request.GET
    choice = find_choice(asked, with_others=request.method != "POST")
    if not request.user.is_authenticated:
        if answers.wants_json(request):
            return answers.refuse(request, 401, _("Sign in to buy, then send this again."), code="not_signed_in")
        here = f"{request.path}?{urlencode({'offer': choice.chosen.offer.pk, 'next': local_path(request, asked.get('next'))})}"
        return redirect_to_login(here, reverse("account_login"))
    return_path = local_path(request, asked.get("next"))
    if request.method == "POST":
        return pay(request, choice, return_path, asked.get("gateway"))
    facts = {
        "choice": choice,
        "return_path": return_path,
        "ways_to_pay": ways_to_pay.offered(choice.chosen.offer.currency),
        "refund_days": settings.REFUND_WINDOW_DAYS,
    }
    return render(request, "shop/checkout.html", facts)


def pay(request: HttpRequest, choice: Choice, return_path: str, gateway: Any) -> HttpResponseBase:
    """Place the order and open a payment; a free offer is settled at once."""
    way = choice.chosen
    try:
        order = orders.place(
            buyer(request), way.offer.pk, language=get_language(), return_path=return_path, title=way.title,
            gateway=str(gateway or ""),
        )  # fmt: skip
    except orders.AlreadyOwned as error:
        if answers.wants_json(request):
            return answers.message(request, _("Payment successful."), detail=str(error))
        return redirect(return_path or "library")
    if order.status == Order.Status.PAID:
        if answers.wants_json(request):
            return answers.message(request, _("Payment successful."), order=describe(order))
        return redirect(continued(order))
    begun = paying.begin(request, order, payments.choose_gateway(gateway, order.currency), device_of(request))
    if answers.wants_json(request):
        told = begun.as_json(request)
        return answers.message(request, _("Please complete the payment."), 202, **told, order=describe(order))
    return paying.lead_on(request, begun.url, order)


@never_cache
@login_required
@answers.explain_refusals
def returned(request: HttpRequest, number: str) -> HttpResponseBase:
    """Back from the provider. The browser's word is no proof: we ask, and wait with the reader for the answer."""
    order = own_order(request, number)
    attempt = find_attempt(request, order)
    if attempt is not None and order.status != Order.Status.PAID:
        payments.refresh(attempt)
        order.refresh_from_db()
    if not is_payable(order):
        payers.forget(request)
    if order.status == Order.Status.PAID:
        return redirect(continued(order))
    state = state_of(order, find_attempt(request, order))
    return redirect("order", number) if state["is_past"] else render(request, "shop/confirming.html", state)


@never_cache
@login_required
@answers.explain_refusals
def progress(request: HttpRequest, number: str) -> HttpResponseBase:
    """What became of the order: a fragment for the waiting page, JSON for a program."""
    order = own_order(request, number)
    if answers.wants_json(request):
        words = _("Payment successful.") if order.status == Order.Status.PAID else order.get_status_display()
        return answers.message(request, words, order=describe(order))
    if order.status == Order.Status.PAID:
        return HttpResponse(status=204, headers={"HX-Redirect": iri_to_uri(continued(order))})
    state = state_of(order, find_attempt(request, order))
    # A code to scan ends with the order's own time, also when the order waits longer for a transfer.
    is_over = "pay" in request.GET and (not state["waits"] or order.expires_at <= clock.now())
    if state["is_past"] or is_over:
        asked = urlencode({"gateway": request.GET["gateway"]}) if "gateway" in request.GET else ""
        back = reverse("payment_return", args=[number])
        return HttpResponse(status=204, headers={"HX-Redirect": f"{back}?{asked}" if asked else back})
    if "pay" not in request.GET:
        return render(request, "shop/waiting.html", state)
    return render(request, "shop/deadline.html", state | paying.deadline_of(order.expires_at))


@never_cache
@login_required
def own_orders(request: HttpRequest) -> HttpResponse:
    """Everything the reader ever ordered, newest first."""
    found = Order.objects.filter(user=buyer(request)).prefetch_related("lines")[:MAX_ORDERS]
    return render(request, "shop/orders.html", {"orders": found})


@never_cache
@login_required
@answers.explain_refusals
def one_order(request: HttpRequest, number: str) -> HttpResponse:
    """An order with its lines, its payments and what one can still do: the receipt."""
    order = own_order(request, number)
    line = order.lines.select_related("offer").first()
    has_arrived = state_of(order, order.payments.first())["arrived"]
    facts = {
        "order": order,
        "payments": order.payments.exclude(status=Payment.Status.CLOSED),
        "line": line,
        "has_arrived": has_arrived,
        "can_pay": is_payable(order) and not has_arrived,
        "refund_until": refunds.open_until(order),
    }
    return render(request, "shop/order.html", facts | paying.transfer_facts(request, order))


@require_POST
@login_required
@answers.explain_refusals
def cancel(request: HttpRequest, number: str) -> HttpResponseBase:
    """The reader thought better of it."""
    order = own_order(request, number)
    orders.cancel(order.pk, buyer(request))
    if answers.wants_json(request):
        order.refresh_from_db()
        return answers.message(request, _("Order cancelled."), order=describe(order))
    return redirect("order", number)


def find_choice(asked: Any, *, with_others: bool) -> Choice:
    """The offer that `offer` names, or the one that opens `content` (a page's id), and what else opens the same."""
    offer_id, content_id = whole_number(asked.get("offer")), whole_number(asked.get("content", asked.get("content_id")))
    if offer_id is None and content_id is None:
        raise Invalid(_("Say what to buy: send `offer` or `content`."))
    if offer_id is not None:
        chosen = Offer.objects.filter(pk=offer_id, is_open=True).select_related("page").first()
        if chosen is None or (chosen.page and not is_on_shelves(chosen.page)):
            raise Missing(_("This is not on sale any more."))
        page = chosen.page if content_id is None else Page.objects.live().filter(pk=content_id).first()
    else:
        page = Page.objects.live().filter(pk=content_id).first()
        chosen = next(iter(ways_to_open(page)), None) if page else None
        if chosen is None:
            raise Missing(_("This is not on sale."))
    ways = [chosen]
    if with_others and not chosen.is_plan and page is not None:
        ways += [other for other in ways_to_open(page) if other.pk != chosen.pk and other.currency == chosen.currency]
    return Choice(tuple(way_in(offer, get_language() or settings.LANGUAGE_CODE) for offer in ways))


def is_on_shelves(page: Page) -> bool:
    """Whether readers find the page in any language; what is still a draft is not even named."""
    return Page.objects.live().filter(translation_key=page.translation_key).exists()


def way_in(offer: Offer, language: str) -> Way:
    """An offer in that language: a work by its title there, a plan by the name of the house, or as somebody called it."""
    page = offer.page
    if page is None:
        return Way(offer, offer.title, None)
    there = (
        Page.objects.live().filter(translation_key=page.translation_key, locale__language_code=language).first() or page
    )
    if offer.is_plan:
        own = language == settings.LANGUAGE_CODE
        return Way(
            offer, offer.title if own else _("%(house)s, by the month") % {"house": context.house_now().name}, there
        )
    return Way(offer, there.title if offer.title == page.title else offer.title, there)


def ways_to_open(page: Page) -> list[Offer]:
    """The offers that open a page: its own first, then the house's plan."""
    ways = listings.opening_offers(page)
    return [offer for offer in (ways.once, ways.plan) if offer is not None]


def whole_number(value: Any) -> int | None:
    """An id as a client may write it. None for nothing; Missing for what can name nothing."""
    if value in (None, ""):
        return None
    try:
        return parse_id(value)
    except ValueError as error:
        raise Missing(_("This is not on sale.")) from error


def local_path(request: HttpRequest, value: Any) -> str:
    """A path of this site to come back to; empty for anything else."""
    if not isinstance(value, str) or len(value) > 380 or not value.startswith("/") or not value.isprintable():
        return ""
    safe = url_has_allowed_host_and_scheme(value, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return value.partition("#")[0] if safe else ""


def buyer(request: HttpRequest) -> User:
    """Who is asking, in a view that only lets signed-in people in."""
    if not isinstance(request.user, User):
        raise NotSignedIn(_("Sign in first."))
    return request.user


def own_order(request: HttpRequest, number: str) -> Order:
    """The reader's own order; anybody else's is not there."""
    return selectors.get_own_order(buyer(request), number)


def continued(order: Order) -> str:
    """Where the reader goes on reading: the same line they left to pay, or what they bought."""
    if order.return_path:
        return order.return_path + "#continue"
    line = order.lines.select_related("offer__page").first()
    if line is not None and line.offer.page is not None:
        return paths.page_path(line.offer.page.specific)
    return reverse("library")


def is_payable(order: Order) -> bool:
    """Whether the order still waits for its money."""
    return order.status == Order.Status.AWAITING_PAYMENT


def find_attempt(request: HttpRequest, order: Order) -> Payment | None:
    """The payment that this page is about: by the way that `gateway` names, where they tried several; or the newest."""
    return order.payments.filter(gateway=request.GET.get("gateway", "")).first() or order.payments.first()


def state_of(order: Order, attempt: Payment | None) -> dict[str, Any]:
    """What the waiting page says: confirming, or how it ended without a sale. `is_past`: the order's own page tells it."""
    is_sold = order.status in (Order.Status.PAID, Order.Status.REFUNDED)
    captured = attempt if attempt is not None and attempt.status == Payment.Status.CAPTURED else None
    held = selectors.refundable_part(captured, Refund.Part.UNAPPLIED) if captured and not is_sold else None
    failed = attempt is not None and attempt.status == Payment.Status.FAILED
    is_open = orders.is_open(order)
    # Once the order's own time is over a transfer may still be on its way, whatever was tried after it.
    begun = [attempt] if attempt and is_open and order.expires_at > clock.now() else order.payments.all()
    transfer = next((payment for payment in begun if paying.is_patient(payment.gateway)), None)
    return {
        "order": order, "line": order.lines.first(), "attempt": attempt, "is_open": is_open, "failed": failed,
        "waits": is_payable(order) and not failed and not captured, "arrived": held is not None,
        "is_past": is_sold or (captured is not None and held is None),
        "transfer": transfer,
    }  # fmt: skip


def describe(order: Order) -> dict[str, Any]:
    """An order as JSON answers carry it."""
    return {
        "number": order.number,
        "status": order.status,
        "amount": order.amount,
        "currency": order.currency,
    }


urlpatterns = [
    path("payment", checkout, name="checkout"),
    path("payment/<str:number>/return", returned, name="payment_return"),
    path("payment/<str:number>", progress, name="payment_progress"),
    path("orders", own_orders, name="orders"),
    path("orders/<str:number>", one_order, name="order"),
    path("orders/<str:number>/cancel", cancel, name="order_cancel"),
]
