"""Parts that go back, the second person, the buyer's own word, and refunds that take their time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sishu.commerce import access, payments, receipts, refunds, splits
from sishu.commerce.models import Offer, Order, OrderLine, Payment, Refund
from sishu.commerce.refunds import NothingToRefund
from sishu.content.paywall import Level
from sishu.core import clock
from sishu.core.errors import Missing, NotAllowed
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.gateways.base import Outcome, RefundOutcome, RefundSnapshot, Snapshot
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger import chart
from sishu.moderation.models import Case
from tests.commerce.sandbox import in_sandbox
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, make_offer, pay, start

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def finance():
    return make_user("finance", "finance")


@pytest.fixture
def sold(payment) -> Payment:
    return pay(payment)


def the_line() -> OrderLine:
    return OrderLine.objects.get()


def give_back(payment: Payment, amount: int, **said) -> Refund:
    return refunds.refund(payment.pk, Refund.Part.SALE, by=None, lines={the_line().pk: amount}, **said)


def creator_of(offer: Offer) -> str:
    return chart.creator_pending(offer.shares.get().payee_id)


def test_a_part_comes_out_of_everyones_part_and_leaves_the_work_open(reader, offer, sold):
    one = give_back(sold, 100, closes_access=False)
    assert (one.status, the_line().refunded_amount) == (Refund.Status.SUCCEEDED, 100)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 890
    assert (in_sandbox(chart.PLATFORM_INCOME), in_sandbox(creator_of(offer))) == (89, 801)
    assert access.level(reader, offer.page) == Level.PAID
    assert Order.objects.get().status == Order.Status.PAID


@pytest.mark.parametrize(("closes", "words"), [(False, "stays open"), (True, "is closed again")])
def test_the_mail_says_what_became_of_the_work(reader, offer, sold, mailoutbox, closes, words):
    reader.language = "en"
    reader.save()
    receipts.send_refund_notice.func(give_back(sold, 100, closes_access=closes).pk)
    (letter,) = mailoutbox
    assert "we have given back ¥1.00" in letter.body
    assert words in letter.body


def test_a_part_can_close_the_work(reader, offer, sold):
    give_back(sold, 100)
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_row_47_parts_go_back_until_nothing_is_left(reader, offer, sold):
    for amount in (333, 333, 323, 1):
        give_back(sold, amount, closes_access=False)
    assert in_sandbox("asset:psp:sandbox") == bank().totals()["CNY"] == 0
    assert (in_sandbox(chart.PLATFORM_INCOME), in_sandbox(creator_of(offer))) == (0, 0)
    assert Order.objects.get().status == Order.Status.REFUNDED
    assert access.level(reader, offer.page) == Level.SIGNED_IN, "all of it went back"
    with pytest.raises(NothingToRefund):
        give_back(sold, 1)


@given(
    amount=st.integers(1, 10**9), shares=st.lists(st.integers(0, 5000), max_size=4).filter(lambda s: sum(s) <= 10_000),
    cuts=st.lists(st.integers(1, 10**6), max_size=8),
)  # fmt: skip
def test_unwinding_never_takes_more_than_there_is_and_ends_at_nothing(amount, shares, cuts):
    legs = splits.of_line(amount, list(enumerate(shares)))
    left, taken = amount, []
    for cut in [*cuts, amount]:
        part = min(cut, left)
        if not part:
            continue
        held = splits.remaining(legs, taken)
        parts = splits.unwind(part, held)
        assert sum(gone for _, gone in parts) == part
        assert all(0 < gone <= dict(held)[payee] for payee, gone in parts)
        taken.append([list(one) for one in parts])
        left -= part
    assert {held for _, held in splits.remaining(legs, taken)} <= {0}


def test_more_than_a_line_holds_or_a_strangers_line_is_refused(sold):
    with pytest.raises(NothingToRefund):
        give_back(sold, 991)
    with pytest.raises(NothingToRefund):
        give_back(sold, 0)
    with pytest.raises(Missing):
        refunds.refund(sold.pk, Refund.Part.SALE, by=None, lines={the_line().pk + 1: 1})
    assert not Refund.objects.exists()


def test_one_form_pressed_twice_gives_back_one_part(sold):
    first, second = (give_back(sold, 100, form_key="a-form") for _ in range(2))
    assert first.pk == second.pk
    assert give_back(sold, 100, form_key="another").pk != first.pk
    assert bank().totals()["CNY"] == 790


def test_a_part_that_failed_and_is_asked_for_anew_by_a_form_pressed_twice_goes_back_once(sold, finance):
    part = {"by": finance, "lines": {the_line().pk: 100}}
    failed = refunds.request(sold.pk, Refund.Part.SALE, reason="sorry", form_key="a-form", **part)
    told(sold, failed, RefundOutcome.FAILED)
    part |= {"by": make_user("mei", "finance"), "reason": "kindness", "closes_access": False, "form_key": "another"}
    first, second = (refunds.refund(sold.pk, Refund.Part.SALE, **part) for _ in range(2))
    assert first.pk == second.pk == failed.pk
    assert (first.requested_by.username, first.reason, first.closes_access) == ("mei", "kindness", False)
    assert (the_line().refunded_amount, bank().totals()["CNY"]) == (100, 890)


def test_while_one_part_is_under_way_no_other_is_begun(sold):
    refunds.request(sold.pk, Refund.Part.SALE, by=None, lines={the_line().pk: 100})
    with pytest.raises(WrongStatus, match="¥1"):
        give_back(sold, 200)


def test_above_the_limit_a_second_person_agrees(settings, reader, offer, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 500}
    one = refunds.refund(sold.pk, Refund.Part.SALE, by=finance)
    assert one.status == Refund.Status.PROPOSED
    assert bank().totals()["CNY"] == 990
    assert access.level(reader, offer.page) == Level.PAID
    with pytest.raises(NotAllowed):
        refunds.approve(one.pk, by=finance)
    other = make_user("owner", "owner")
    assert refunds.approve(one.pk, by=other).status == Refund.Status.SUCCEEDED
    assert bank().totals()["CNY"] == 0
    assert not Case.objects.filter(kind="refund_proposed", status=Case.Status.OPEN).exists()
    with pytest.raises(WrongStatus):
        refunds.approve(one.pk, by=other)


def test_many_parts_are_one_sum_to_the_limit(settings, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 500}
    line = {the_line().pk: 300}
    parts = [
        refunds.refund(sold.pk, Refund.Part.SALE, by=finance, lines=line, form_key=key, closes_access=False)
        for key in ("first", "second")
    ]
    assert [part.status for part in parts] == [Refund.Status.SUCCEEDED, Refund.Status.PROPOSED]
    assert bank().totals()["CNY"] == 690


def test_one_that_failed_counts_to_the_limit_when_it_is_tried_again(settings, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 500}
    line = {the_line().pk: 300}
    failed = refunds.request(sold.pk, Refund.Part.SALE, by=finance, lines=line)
    told(sold, failed, RefundOutcome.FAILED)
    refunds.refund(sold.pk, Refund.Part.SALE, by=finance, lines={the_line().pk: 301}, form_key="another")
    again = refunds.refund(sold.pk, Refund.Part.SALE, by=finance, lines=line, form_key="again")
    assert (again.pk, again.status) == (failed.pk, Refund.Status.PROPOSED)
    assert bank().totals()["CNY"] == 689


def test_the_buyer_is_no_second_person(settings, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 500}
    one = refunds.refund(sold.pk, Refund.Part.SALE, by=finance)
    with pytest.raises(NotAllowed):
        refunds.approve(one.pk, by=sold.order.user)


def test_up_to_the_limit_one_person_is_enough_and_without_one_everybody_is(settings, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"USD": 500}
    assert refunds.needs_second_person(Money(1, "CNY")), "a currency without a limit has none to spare"
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 990}
    assert refunds.refund(sold.pk, Refund.Part.SALE, by=finance).status == Refund.Status.SUCCEEDED


def test_what_a_second_person_rejects_can_be_asked_for_anew(settings, sold, finance):
    settings.REFUND_APPROVAL_ABOVE = {"CNY": 500}
    one = refunds.refund(sold.pk, Refund.Part.SALE, by=finance)
    refunds.reject(one.pk, by=make_user("owner", "owner"), reason="the work was read")
    assert the_line().refunded_amount == 0
    assert refunds.refund(sold.pk, Refund.Part.SALE, by=finance).pk != one.pk


def test_only_what_waits_for_a_second_person_is_approved_or_rejected(sold, slow, finance):
    for outcome in (None, RefundOutcome.SUCCEEDED, RefundOutcome.RETURNED):
        if outcome:
            told(sold, slow, outcome)
        with pytest.raises(WrongStatus):
            refunds.reject(slow.pk, by=finance, reason="too late")
        with pytest.raises(WrongStatus):
            refunds.approve(slow.pk, by=finance)
    assert slow.status == Refund.Status.FAILED


def test_the_buyer_asks_within_the_promised_days(reader, offer, sold, set_clock):
    order = sold.order
    order.refresh_from_db()
    until = refunds.refund_until(order)
    assert until == order.paid_at + timedelta(days=7)
    set_clock(until + timedelta(seconds=1))
    with pytest.raises(refunds.TooLate):
        refunds.ask_back(order, by=reader)
    with pytest.raises(Missing):
        refunds.ask_back(order, by=make_user())
    set_clock(until)
    assert refunds.ask_back(order, by=reader).status == Refund.Status.SUCCEEDED
    assert refunds.ask_back(order, by=reader).amount == 990
    assert Refund.objects.count() == 1
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_the_promise_is_the_one_of_the_day_it_was_bought(settings, reader, offer, sold):
    settings.REFUND_WINDOW_DAYS = 0
    assert refunds.refund_until(Order.objects.get()) is not None
    assert refunds.refund_until(pay(start(make_user(), make_offer())).order) is None


class SlowGateway(SandboxGateway):
    """A provider that takes refunds on and makes them later."""

    def refund(self, request):
        return RefundSnapshot(request.reference, RefundOutcome.PENDING, request.amount)

    query_refund = refund


@pytest.fixture
def slow(settings, sold) -> Refund:
    path = f"{__name__}.SlowGateway"
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"sandbox": (path, {})}}
    return refunds.refund(sold.pk, Refund.Part.SALE, by=None)


def told(payment: Payment, one: Refund, outcome: RefundOutcome) -> None:
    refund = RefundSnapshot(one.reference, outcome, one.money)
    payments.apply(Snapshot(payment.reference, Outcome.CAPTURED, Money(990, "CNY"), refunds=(refund,)))
    one.refresh_from_db()


def test_a_refund_on_its_way_is_out_of_the_books_and_the_work_is_closed(reader, offer, sold, slow):
    assert slow.status == Refund.Status.PROCESSING
    assert in_sandbox(chart.refund_in_transit(sold.reference)) == 990
    assert (in_sandbox("asset:psp:sandbox"), in_sandbox(creator_of(offer))) == (990, 0)
    assert access.level(reader, offer.page) == Level.SIGNED_IN
    refunds.submit(slow)
    assert in_sandbox(chart.refund_in_transit(sold.reference)) == 990, "asked again, and nothing new"
    told(sold, slow, RefundOutcome.SUCCEEDED)
    assert slow.status == Refund.Status.SUCCEEDED
    assert in_sandbox("asset:psp:sandbox") == in_sandbox(chart.refund_in_transit(sold.reference)) == 0


def test_row_44_a_refund_accepted_and_then_given_up_brings_everything_back(reader, offer, sold, slow):
    told(sold, slow, RefundOutcome.FAILED)
    assert slow.status == Refund.Status.FAILED
    assert in_sandbox(chart.refund_in_transit(sold.reference)) == 0
    assert in_sandbox(creator_of(offer)) == 891
    assert access.level(reader, offer.page) == Level.PAID
    assert Order.objects.get().status == Order.Status.PAID
    assert Case.objects.get().kind == "refund_failed"
    told(sold, slow, RefundOutcome.SUCCEEDED)
    assert in_sandbox("asset:psp:sandbox") == in_sandbox(creator_of(offer)) == 0
    assert access.level(reader, offer.page) == Level.SIGNED_IN


def test_a_refund_given_up_whose_money_went_back_by_another_stands_apart(settings, sold, slow):
    told(sold, slow, RefundOutcome.FAILED)
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"sandbox": ("sishu.gateways.sandbox.SandboxGateway", {})}}
    assert give_back(sold, 500).status == Refund.Status.SUCCEEDED
    told(sold, slow, RefundOutcome.SUCCEEDED)
    assert slow.status == Refund.Status.FAILED
    assert in_sandbox(chart.suspense(sold.reference)) == 990
    assert Case.objects.filter(kind="foreign_refund").count() == 1


def test_money_that_bought_nothing_goes_back_by_itself_where_the_house_says_so(settings, reader, offer, payment):
    bank().pay(payment.reference, times=2)
    payments.refresh(payment)
    refunds.give_back_unapplied(payment.pk)
    assert bank().totals()["CNY"] == 990
    assert Case.objects.get(kind="unapplied").status == Case.Status.DECIDED
    assert refunds.give_back_unapplied(payment.pk).pk == Refund.objects.get().pk
    assert access.level(reader, offer.page) == Level.PAID
    assert clock.now() is not None
