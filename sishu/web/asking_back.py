"""A reader takes back a purchase within the time that the checkout promised."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from sishu.commerce import refunds
from sishu.commerce.models import Refund
from sishu.core.money import Money
from sishu.web import answers, shop


@never_cache
@login_required
@answers.explain_refusals
def ask_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """GET says what happens; POST asks for the money. Raises TooLate after the promised time."""
    order = shop.own_order(request, number)
    if request.method != "POST":
        until = refunds.open_until(order)
        if until is None:
            raise refunds.TooLate
        left = Money(sum(line.refundable_amount for line in order.lines.all()), order.currency)
        return render(request, "shop/ask_back.html", {"order": order, "until": until, "left": left})
    refund = refunds.ask_back(order, by=shop.buyer(request), reason=str(answers.read_body(request).get("reason", "")))
    if answers.wants_json(request):
        return answers.message(request, told(refund), order=shop.describe(order), refund_status=refund.status)
    return redirect("order", number)


def told(refund: Refund) -> str:
    """What became of it, in a sentence for the buyer."""
    if refund.status == Refund.Status.SUCCEEDED:
        return _("Your money has gone back.")
    if refund.status == Refund.Status.FAILED:
        return _("The provider could not send it back. A person looks at it now.")
    return _("Your money is on its way back.")


urlpatterns = [path("orders/<str:number>/refund", ask_back, name="order_refund")]
