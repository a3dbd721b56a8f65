"""Reading the shop: what happened to an order, what stands between a person and a page, what may not be taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import access, refunds
from sishu.commerce.access import Verdict
from sishu.commerce.models import Entitlement, Offer, Order, OrderLine, Payment
from sishu.content.models import Authorship, HomePage
from sishu.core.errors import Missing
from sishu.core.money import Money
from sishu.core.refs import parse_ref


def refundable_part(payment: Payment, part: str) -> Money | None:
    """What one part of a payment still holds for the buyer; None when that is nothing."""
    return refunds.refundable(payment, payment.order, part) or None


def find_payment(ref: str) -> Payment | None:
    """The payment that a case is about: by its own link, or by that of one of its refunds."""
    noun, key = parse_ref(ref)
    payments = Payment.objects.select_related("order")
    if noun == "payment":
        return payments.filter(pk=int(key)).first()
    if noun in ("refund", "dispute"):
        return payments.filter(**{f"{noun}s": int(key)}).first()
    return None


def find_payment_by_reference(reference: str) -> Payment | None:
    """The payment of that reference, with its order."""
    return Payment.objects.select_related("order").filter(reference=reference).first()


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold for money in one book and one currency over a time."""

    book: str
    gross: Money
    count: int


def sales_since(moment: datetime) -> list[Sales]:
    """Sales settled from `moment` on, real money first. One refunded since was a sale; a free order is none."""
    sold = Payment.objects.filter(is_applied=True, order__paid_at__gte=moment)
    rows = sold.values_list("book", "order__currency").annotate(Sum("order__amount"), Count("pk"))
    return [Sales(book, Money(gross, currency), count) for book, currency, gross, count in rows.order_by("book")]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict about a person and a page, with every fact that could have decided it."""

    verdict: Verdict
    # Each with the order it was bought by, if it was bought.
    entitlements: Sequence[tuple[Entitlement, Order | None]]
    orders: Sequence[Order]
    authorships: Sequence[Authorship]

    @property
    def decisive_order(self) -> Order | None:
        """The order that bought what decided, if it was bought."""
        return next((order for held, order in self.entitlements if held.source == self.verdict.source), None)


def explain(user: User, page: Page) -> Explanation:
    """Why this person may read this page as far as they may."""
    keys = page.get_ancestors(inclusive=True).values("translation_key")
    held = list(Entitlement.objects.filter(user=user, page__translation_key__in=keys).select_related("page"))
    placed = Order.objects.filter(user=user, lines__offer__page__translation_key__in=keys).distinct()
    orders = list(placed.prefetch_related("lines"))
    bought_by = {line.ref: order for order in orders for line in order.lines.all()}
    wrote = Authorship.objects.filter(user=user, page__translation_key=page.translation_key).select_related("page")
    return Explanation(
        access.verdict(user, page), [(one, bought_by.get(one.source)) for one in held], orders, list(wrote)
    )


def plan_ends_at(user: User, moment: datetime) -> datetime | None:
    """How long this person reads the whole house without a gap, renewals counted; None when no month is valid now."""
    houses = HomePage.objects.values("translation_key")
    months = Entitlement.objects.not_over(moment).filter(
        user=user, page__translation_key__in=houses, ends_at__isnull=False
    )
    until = None
    for start, end in months.order_by("starts_at").values_list("starts_at", "ends_at"):
        if start <= (until or moment):
            until = max(until or end, end)  # type: ignore[type-var]  # the query asks for those that end
    return until


def get_own_order(user: User, number: str) -> Order:
    """This person's order of that number. Missing for a stranger's as for one that does not exist."""
    order = Order.objects.filter(number=number, user=user).first()
    if order is None:
        raise Missing(_("There is no such order."))
    return order


def sold_among(pages: Iterable[Page]) -> QuerySet[Page]:
    """The pages that were ordered or entitle somebody, among these and all that would go with them.

    With a page go its translations and what hangs below either; an alias counts as its original. A plan that covers a
    page from above does not count: it was not this page that was bought.
    """
    keys = {page.translation_key for page in pages}
    branches = _branches(Page.objects.filter(translation_key__in=keys).values_list("path", flat=True), "path")
    below = Page.objects.filter(branches).order_by()
    # An alias shows the same work under another key.
    works = Page.objects.filter(Q(pk__in=below.values("pk")) | Q(aliases__in=below.values("pk"))).order_by()
    ordered = OrderLine.objects.filter(offer__page__translation_key__in=works.values("translation_key"))
    entitled = Entitlement.objects.filter(page__translation_key__in=works.values("translation_key"))
    sold: QuerySet[Page] = Page.objects.filter(
        Q(pk__in=ordered.values("offer__page")) | Q(pk__in=entitled.values("page"))
    )
    return sold


def unsold_offers(pages: Iterable[Page]) -> QuerySet[Offer]:
    """Offers of these pages and all below them that nobody ever took up."""
    return Offer.objects.filter(_branches((page.path for page in pages), "page__path"), lines=None)


def _branches(paths: Iterable[str], field: str) -> Q:
    branches = Q(pk__in=())
    for path in paths:
        branches |= Q(**{f"{field}__startswith": path})
    return branches


def source_label(entitlement: Entitlement, order: Order | None) -> str:
    """Where an entitlement comes from, in words."""
    return _("order %(number)s") % {"number": order.number} if order else entitlement.source
