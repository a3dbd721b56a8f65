"""Works on sale, and what people bought. Money moves over the real road: place, start, the bank captures, refresh."""

from __future__ import annotations

from collections.abc import Mapping

from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import offers, orders, payments
from sishu.commerce.models import Offer, Order, Payment
from sishu.content.models import ArticlePage, HomePage
from sishu.core import plugins
from sishu.core.money import Money
from sishu.gateways.sandbox_bank import SandboxBank
from tests.factories.content import make_article, make_house, paywall, prose


def make_paid_work(author: User | None = None, **values: object) -> ArticlePage:
    """A live article: a paragraph for everybody, and one behind the paywall."""
    make_house()
    body = [prose("Open to all."), paywall("PAID"), prose("Open to those who paid.")]
    return make_article(author, body=body, **values)  # type: ignore[arg-type]


def make_offer(
    page: Page | None = None,
    *,
    amount: int = 990,
    currency: str = "CNY",
    interval: str = Offer.Interval.ONCE,
    shares: Mapping[int, int] | None = None,
) -> Offer:
    """A page on sale for good; a new work by a new creator unless one is given."""
    page = page or make_paid_work()
    return offers.price(page, Money(amount, currency), interval=interval, shares=shares)


def make_plan(*, amount: int = 3000, shares: Mapping[int, int] | None = None) -> Offer:
    """The whole house by the month."""
    make_house()
    home = HomePage.objects.get(locale__language_code="zh-hans")
    return make_offer(home, amount=amount, interval=Offer.Interval.MONTH, shares=shares or {})


def start(user: User, offer: Offer) -> Payment:
    """An order, and the sandbox's open attempt to collect it."""
    order = orders.place(user, offer.pk, language="zh-hans")
    payment, _instruction = payments.start(
        order.pk, "sandbox", notify_url=payments.notify_url("sandbox"), return_url="http://testserver/payment/return"
    )
    return payment


def bank() -> SandboxBank:
    """The sandbox provider's side."""
    return plugins.load("gateways", "sandbox").bank


def pay(payment: Payment, *, times: int = 1, amount: int | None = None) -> Payment:
    """The buyer pays at the sandbox, and the house asks what became of it."""
    bank().pay(payment.reference, times=times, amount=amount)
    payments.refresh(payment)
    return Payment.objects.get(pk=payment.pk)


def buy(user: User, offer: Offer) -> Order:
    """An order that was paid and settled; a free one is settled at once."""
    if not offer.amount:
        return orders.place(user, offer.pk, language="zh-hans")
    return Order.objects.get(pk=pay(start(user, offer)).order_id)
