"""Comparing our books with the providers' bills, day by day.

What can be put right is put right by `payments.apply` alone; fees, and money that nobody here knows of, are booked, so that
the ledger always equals the bill; every other difference is a case for a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sishu.commerce import bill_lines, bills, merchants, refund_names, trials
from sishu.commerce.bill_lines import UNBILLED_REFUNDS
from sishu.commerce.models import BillLine, Dispute, Payment, ProviderBill, Refund, TrialPurchase
from sishu.core import clock, refs
from sishu.core.money import Money
from sishu.gateways.base import BillNotReady, EntryKind, GatewayError, NoBills, PaymentGateway
from sishu.ledger import chart
from sishu.ledger.models import Account, Book
from sishu.ledger.selectors import balance
from sishu.moderation import cases

KIND = "reconciliation"
CLEAN = {BillLine.Outcome.MATCHED, BillLine.Outcome.TIMING, BillLine.Outcome.POSTED}


@dataclass(slots=True)
class Report:
    """What a comparison found. `status`: done, not_ready, no_bills, or silent when the provider did not answer."""

    gateway: str
    day: date
    status: str = "done"
    outcomes: Counter[str] = field(default_factory=Counter)
    # Codes of what a person must look into.
    differences: list[str] = field(default_factory=list)
    # Of each currency: what the ledger says the provider holds, what its bills say, and what no bill has told of yet.
    balances: list[tuple[Money, Money, Money]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return self.status in ("done", "no_bills") and not self.differences

    def as_json(self) -> dict[str, Any]:
        return {
            "gateway": self.gateway, "day": self.day.isoformat(), "status": self.status, "is_clean": self.is_clean,
            "lines": dict(self.outcomes), "differences": self.differences,
            "balances": [
                {"ledger": ledger.as_json(), "billed": billed.as_json(), "unbilled": unbilled.as_json()}
                for ledger, billed, unbilled in self.balances
            ],
        }  # fmt: skip


def reconcile(gateway_name: str, day: date) -> Report:
    """Fetch a provider's bill of one of its days, and compare every line and every payment with it. Repeatable."""
    report = Report(gateway_name, day)
    try:
        gateway = merchants.gateway(gateway_name)
        bill = bills.keep(gateway, gateway.fetch_bill(day))
    except BillNotReady:
        report.status = "not_ready"
        return report
    except NoBills:
        report.status = "no_bills"
        return report
    except GatewayError:
        report.status = "silent"
        return report
    for line in bill.lines.order_by("number"):
        _compare(line, report)
    for code, ref, data in [*_missing_in_bills(gateway, day), *_balances(gateway, bill, report)]:
        _open_case(code, ref, data, report)
    ProviderBill.objects.filter(pk=bill.pk).update(reconciled_at=clock.now())
    return report


def yesterday(gateway_name: str) -> date:
    """The last whole day by the provider's clock. Raises Unusable."""
    gateway = merchants.gateway(gateway_name)
    return (clock.now().astimezone(gateway.zone) - timedelta(days=1)).date()


def _compare(line: BillLine, report: Report) -> None:
    outcome, data = bill_lines.compare(line)
    if outcome != line.outcome:
        BillLine.objects.filter(pk=line.pk).update(outcome=outcome)
    report.outcomes[outcome] += 1
    if outcome not in CLEAN:
        facts = {"gateway": line.bill.gateway, "day": line.bill.day.isoformat(), "money": line.money.as_json()}
        facts |= {"reference": line.reference or line.provider_reference}
        _open_case(outcome, refs.ref("billline", line.pk), facts | data, report)


def _missing_in_bills(gateway: PaymentGateway, day: date) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Money that moved that day by our books and stands in no bill. Until the next day's bill is here, that is no news."""
    if bills.find(gateway.name, day + timedelta(days=1)) is None:
        return
    start = datetime.combine(day, time(), gateway.zone)
    within = (start, start + timedelta(days=1) - timedelta(microseconds=1))
    where = {"gateway": gateway.name, "day": day.isoformat()}
    billed = bills.lines(gateway.name)
    # Before what came: there is one case about a trial, and that it came from nowhere is worse.
    for trial in trials.returned_untold(gateway.name, billed).filter(returned_at__range=within):
        went = Money(trial.returned_amount, trial.currency)
        yield "refund_missing_remote", trial.ref, {**where, **trial.told(went)}
    told = billed.filter(kind=EntryKind.PAYMENT).values("reference")
    unseen = Payment.objects.filter(gateway=gateway.name, captured_at__range=within).exclude(reference__in=told)
    tried = trials.arrived_untold(gateway.name, billed).filter(captured_at__range=within)
    arrived: list[Payment | TrialPurchase] = [*unseen, *tried]
    for one in arrived:
        try:
            is_there = gateway.query(one.reference, one.provider_reference).captured is not None
        except GatewayError:
            continue  # asked again with the next comparison
        nowhere = "access_without_money" if isinstance(one, Payment) else "trial_without_money"
        yield "missing_remote" if is_there else nowhere, one.ref, {**where, **one.told(one.captured)}
    of_day = Refund.objects.filter(payment__gateway=gateway.name, settled_at__range=within, **UNBILLED_REFUNDS)
    for refund in (
        refund_names.named(of_day)
        .exclude(name__in=bills.gone(gateway.name))
        .exclude(reference__in=Dispute.objects.values("reference"))
        .select_related("payment__order")
    ):
        yield "refund_missing_remote", refund.ref, {**where, **refund.payment.told(refund.money)}


def _balances(gateway: PaymentGateway, bill: ProviderBill, report: Report) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Whether what we say the provider holds is what its bills add up to, and what they say was left each night."""
    account, facts = chart.provider(gateway.name), {"gateway": gateway.name, "day": bill.day.isoformat()}
    known = set(Account.objects.filter(code=account, book=gateway.book).values_list("currency", flat=True))
    for currency in sorted(known | set(bill.lines.values_list("currency", flat=True))):
        ours = Money(balance(account, book=Book(gateway.book), currency=currency), currency)
        billed = bill_lines.billed(gateway.name, currency)
        unbilled = bill_lines.unbilled(gateway.name, currency)
        report.balances.append((ours, billed, unbilled))
        if ours != billed + unbilled:
            data = {"ours": ours.as_json(), "billed": (billed + unbilled).as_json(), "reference": currency}
            yield "balance_differs", bill.ref, facts | data
    before = bills.find(gateway.name, bill.day - timedelta(days=1))
    if before is not None and before.closing and bill.closing:
        held = {currency: amount for amount, currency in before.closing}
        for amount, currency in bill.closing:
            moved = bill_lines.billed(gateway.name, currency, bill)
            expected = Money(held.get(currency, 0), currency) + moved
            if expected.amount != amount:
                data = {"ours": expected.as_json(), "billed": Money(amount, currency).as_json(), "reference": currency}
                yield "closing_differs", bill.ref, facts | data


def _open_case(code: str, ref: str, data: dict[str, Any], report: Report) -> None:
    report.differences.append(code)
    if not cases.was_decided(ref=ref, kind=KIND, code=code):
        cases.open(ref=ref, kind=KIND, code=code, data=data)
