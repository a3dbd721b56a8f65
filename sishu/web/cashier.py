"""The sandbox's cashier: where a buyer decides how this rehearsal of a payment ends. Stands for a provider's own page."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from sishu.commerce import merchants
from sishu.core.money import Money
from sishu.gateways.sandbox import SandboxGateway
from sishu.gateways.sandbox_bank import Charge, Refused, SandboxBank

# outcome → (label, what the house should do about it)
ENDINGS = {
    "pay": (_("The payment succeeds"), _("One sale, one entry in the books, the text opens.")),
    "twice": (_("It is paid twice"), _("The text opens once; the second payment stands apart and waits for a person.")),
    "late": (_("It is paid after the order has expired"), _("Nothing opens; the money stands apart and waits for a person.")),
    "fail": (_("The payment fails"), _("Nothing moves. One can try again.")),
    "close": (_("The window is closed"), _("Nothing is decided. One can come back and pay.")),
}  # fmt: skip


@never_cache
def cashier(request: HttpRequest, reference: str) -> HttpResponse:
    """GET shows the charge; POST ends it as chosen and leads back to the shop."""
    gateway = merchants.gateway("sandbox") if "sandbox" in merchants.usable() else None
    if not isinstance(gateway, SandboxGateway):
        raise Http404
    bank = gateway.bank
    charge = bank.find(reference)
    if charge is None:
        raise Http404
    if request.method == "POST":
        with suppress(Refused):  # decided in another tab: the shop shows what became of it
            end(bank, charge, request.POST.get("ending", ""))
        return HttpResponseRedirect(charge.return_url, status=303)
    facts = {"charge": charge, "due": Money(charge.amount, charge.currency), "endings": ENDINGS}
    return render(request, "shop/cashier.html", facts)


def end(bank: SandboxBank, charge: Charge, ending: str) -> None:
    """Let the bank do what was chosen. Raises Refused when it was decided before."""
    if ending == "pay":
        bank.pay(charge.reference)
    elif ending == "twice":
        bank.pay(charge.reference, times=2)
    elif ending == "late":
        bank.pay(charge.reference, at=charge.expires_at + timedelta(minutes=1))
    elif ending == "fail":
        bank.fail(charge.reference)


urlpatterns = [path("cashier/<str:reference>", cashier, name="cashier")]
