"""Random buyers, providers, crashes and clocks, as a machine that hypothesis drives; and what must hold in the end."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import requests
from django.db import transaction
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paysim.bank import Refused, Status
from paysim.faults import FaultKind
from paysim.simulator import Simulator
from sishu.accounts.models import User
from sishu.commerce import access, maturity, orders, payments, reconcile, refunds
from sishu.commerce.models import Entitlement, Offer, Order, OrderLine, Payment, Refund
from sishu.content.paywall import Level
from sishu.core import plugins
from sishu.core.errors import DomainError
from sishu.gateways.base import Redirect
from sishu.ledger import chart, check
from sishu.ledger.models import Book, Transfer
from sishu.ledger.selectors import balance
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer
from tests.flows.differences import differences

# By chance, at every moment that fits: how often, and with which value.
CHANCES = {
    FaultKind.DROP_NOTICE: (0.1, 0), FaultKind.DUPLICATE_NOTICE: (0.1, 2), FaultKind.DELAY_NOTICE: (0.1, 600),
    FaultKind.REORDER_NOTICES: (0.1, 0), FaultKind.ERROR_AFTER_EFFECT: (0.05, 0), FaultKind.ERROR_BEFORE_EFFECT: (0.05, 0),
    FaultKind.PAY_WHILE_CLOSING: (0.1, 0), FaultKind.CLOSE_WITHOUT_EFFECT: (0.1, 0), FaultKind.REFUND_ABNORMAL: (0.05, 0),
    FaultKind.REFUND_REFUSED: (0.05, 0), FaultKind.BALANCE_TOO_LOW: (0.05, 0), FaultKind.REFUND_PENDING: (0.2, 0),
    FaultKind.WRONG_AMOUNT: (0.03, 1),
}  # fmt: skip
chance = st.integers(0, 10**6)
RETURN_URL = "http://testserver/"


class Shop(RuleBasedStateMachine):
    """A shop with a few works and readers, and a provider where everything goes wrong now and then.

    `sim` and `provider` are set by the test that runs it; the house's clock is the simulator's.
    """

    sim: Simulator
    provider: str
    steps = 0

    @initialize()
    def open(self) -> None:
        self.offers = [make_offer(amount=amount) for amount in (990, 1, 2500)]
        self.readers = [make_user() for _ in range(3)]
        self.sim.notifier.transport = self.hear
        self.loses_commits = False
        self.began_at = self.sim.clock.now()
        for kind, (rate, value) in CHANCES.items():
            self.sim.faults.by_chance(kind, rate, value)
        for number in range(len(self.readers)):
            self.buys(number, number, arrives=True)  # else most runs would hardly sell anything

    def hear(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The house hears a notice; where its commit is lost, nothing of it happened and the provider hears no success."""
        client = Client(raise_request_exception=False)
        said = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
        with transaction.atomic():
            answer = client.post(urlsplit(url).path, body, content_type=kind, headers=said)
            if self.loses_commits:
                transaction.set_rollback(True)
                return 500, b""
        assert answer.status_code < 500 or answer.status_code == 503, answer.content
        return answer.status_code, answer.content

    # --- Buyers ---------------------------------------------------------------------------------

    @rule(who=chance, what=chance, arrives=st.sampled_from([True, True, True, False]))
    def buys(self, who: int, what: int, arrives: bool) -> None:
        self.step()
        offer = Offer.objects.get(pk=self.offers[what % len(self.offers)].pk)
        try:
            order = orders.place(self.readers[who % len(self.readers)], offer.pk, language="zh-hans")
            _, started = payments.start(
                order.pk, self.provider, notify_url=payments.notify_url(self.provider), return_url=RETURN_URL
            )
        except DomainError:
            return  # owned already, or the provider is silent
        instruction = started.instruction
        # Whoever paid already is led home at once. Alipay knows of no payment before its page was opened.
        if arrives and isinstance(instruction, Redirect) and instruction.url != RETURN_URL:
            requests.get(instruction.url)

    @rule(which=chance, how=st.sampled_from(["once", "once", "once", "twice", "late", "not"]))
    def pays(self, which: int, how: str) -> None:
        self.step()
        waiting = [one for one in self.sim.bank.charges(self.provider) if one.status in (Status.WAITING, Status.CLOSED)]
        if not waiting:
            return
        one = waiting[which % len(waiting)]
        try:
            if how == "not":
                self.sim.bank.fail(self.provider, one.reference)
            else:
                late = one.expires_at + timedelta(minutes=1) if how == "late" and one.expires_at else None
                is_again = (
                    one.status == Status.CLOSED and which % 5 == 0
                )  # rarely: it was closed, and is paid all the same
                self.sim.bank.pay(
                    self.provider, one.reference, times=2 if how == "twice" else 1, at=late, again=is_again
                )
        except Refused:
            return

    @rule(which=chance)
    def comes_back(self, which: int) -> None:
        self.step()
        if payment := pick(Payment.objects.filter(gateway=self.provider), which):
            payments.refresh(payment)

    @rule(which=chance)
    def thinks_better(self, which: int) -> None:
        self.step()
        order = pick(Order.objects.filter(status=Order.Status.AWAITING_PAYMENT), which)
        if order is not None:
            orders.cancel(order.pk, order.user)

    @rule(which=chance)
    def asks_back(self, which: int) -> None:
        self.step()
        order = pick(Order.objects.filter(status=Order.Status.PAID), which)
        try:
            if order is not None:
                refunds.ask_back(order, by=order.user)
        except DomainError:
            return

    # --- Finance, and the provider's console ----------------------------------------------------

    @rule(which=chance, amount=st.integers(1, 2500), closes=st.booleans())
    def gives_back_a_part(self, which: int, amount: int, closes: bool) -> None:
        self.step()
        line = pick(OrderLine.objects.filter(order__status=Order.Status.PAID), which)
        payment = Payment.objects.filter(order=line.order, is_applied=True).first() if line else None
        try:
            if line is not None and payment is not None:
                part = min(amount, line.refundable_amount)
                refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={line.pk: part}, closes_access=closes)
        except DomainError:
            return

    @rule(which=chance)
    def gives_back_what_bought_nothing(self, which: int) -> None:
        self.step()
        if payment := pick(Payment.objects.filter(captured_amount__gt=0), which):
            refunds.give_back_unapplied(payment.pk)

    @rule(which=chance, amount=st.integers(1, 990))
    def is_given_back_at_the_console(self, which: int, amount: int) -> None:
        self.step()
        paid = [one for one in self.sim.bank.charges(self.provider) if one.captured > one.refunded]
        if not paid:
            return
        one = paid[which % len(paid)]
        number = f"console{self.sim.bank.new_number()[-12:]}"
        try:
            self.sim.bank.refund(
                self.provider, one.reference, refund_reference=number, amount=min(amount, one.captured - one.refunded),
                is_external=True,
            )  # fmt: skip
        except Refused:
            return

    # --- Time and bad luck ----------------------------------------------------------------------

    @rule()
    def notices_come(self) -> None:
        self.step()
        self.sim.notifier.run_due()

    @rule()
    def notices_come_and_the_commit_is_lost(self) -> None:
        self.step()
        self.loses_commits = True
        self.sim.notifier.run_due()
        self.loses_commits = False

    @rule()
    def the_worker_works(self) -> None:
        self.step()
        payments.poll_due()
        refunds.retry_due()
        orders.expire_due()
        maturity.mature_due()

    @rule(seconds=st.sampled_from([30, 300, 1900, 3600, 20_000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.step()
        self.sim.clock.advance(seconds)

    @rule()
    def the_provider_finishes_refunds(self) -> None:
        self.step()
        finish_refunds(self.sim, self.provider)

    # --- What must hold -------------------------------------------------------------------------

    @invariant()
    def nobody_is_in_without_paying(self) -> None:
        for held in Entitlement.objects.filter(revoked_at=None).select_related("user", "page"):
            line = OrderLine.objects.select_related("order").get(pk=held.source.partition(":")[2])
            assert line.order.status == Order.Status.PAID, held.source
            gone = line.refunds.filter(refund__status__in=[Refund.Status.PROCESSING, Refund.Status.SUCCEEDED])
            assert sum(gone.values_list("amount", flat=True)) < line.amount, "what went back whole is closed"

    @invariant()
    def clearing_is_empty(self) -> None:
        assert balance(chart.CLEARING, book=Book.SANDBOX) == 0

    def teardown(self) -> None:
        self.calm_down()
        assert [str(fault) for fault in check.faults()] == []
        self.books_are_the_providers()
        self.whoever_paid_is_in()

    def calm_down(self) -> None:
        """Nothing goes wrong any more; everybody does what they owe, and the bills of the days come."""
        sim = self.sim
        sim.faults.clear()
        for _ in range(6):
            sim.notifier.run_due()
            finish_refunds(sim, self.provider)
            payments.poll_due(limit=1000)
            refunds.retry_due(limit=1000)
            sim.clock.advance(7 * 3600)
        sim.clock.advance(2 * 86_400)
        gateway = plugins.load("gateways", self.provider)
        day, last = (moment.astimezone(gateway.zone).date() for moment in (self.began_at, sim.clock.now()))
        while day < last:
            reconcile.reconcile(self.provider, day)
            day += timedelta(days=1)

    def books_are_the_providers(self) -> None:
        told = self.sim.bank.books(self.provider).get("CNY", {"captured": 0, "refunded": 0, "disputed": 0})
        fees = balance(chart.PROVIDER_FEES, book=Book.SANDBOX)
        held = balance(chart.provider(self.provider), book=Book.SANDBOX)
        found = differences(self.sim, self.provider)
        assert not found, "\n".join(found)
        assert held == told["captured"] - told["refunded"] - told["disputed"] - fees

    def whoever_paid_is_in(self) -> None:
        for order in Order.objects.filter(status=Order.Status.PAID).prefetch_related("lines__offer__page"):
            for line in order.lines.all():
                closed = Refund.objects.filter(lines__line=line, closes_access=True).exclude(
                    status__in=[Refund.Status.FAILED, Refund.Status.REJECTED]
                )
                if not closed.exists():
                    assert access.level(User.objects.get(pk=order.user_id), line.offer.page) == Level.PAID, order.number
        sold = Transfer.objects.filter(journal__kind="sale", code="capture").count()
        assert sold == Payment.objects.filter(is_applied=True).count()

    def step(self) -> None:
        Shop.steps += 1


def pick(rows, which: int):
    """One of the rows, or None of none."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    return rows.get(pk=ids[which % len(ids)]) if ids else None


def finish_refunds(sim: Simulator, provider: str) -> None:
    """Refunds on their way arrive."""
    for charge in sim.bank.charges(provider):
        for refund in charge.refunds:
            sim.bank.settle_refund(provider, charge.reference, refund.reference)
