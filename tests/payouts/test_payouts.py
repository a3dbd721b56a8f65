"""Paying creators by hand: twice is once, two people decide, and nobody is paid what they do not have."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from sishu.accounts.models import User
from sishu.core import clock
from sishu.core.errors import Invalid, Missing, NotAllowed
from sishu.core.models import WrongStatus
from sishu.core.money import Money
from sishu.ledger import chart
from sishu.ledger.models import Book, Journal
from sishu.ledger.selectors import balance
from sishu.outbox.models import Fact
from sishu.payouts import payees, payouts
from sishu.payouts.models import PayeeAccount, Payout
from tests.factories.accounts import make_user
from tests.payouts.desk import DETAILS, ask, earn, give_back, make_payee, ready

pytestmark = [pytest.mark.django_db, pytest.mark.money]
REAL = "asset:bank"


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def lan() -> User:
    """A creator with an account, and a hundred yuan to be paid out."""
    lan = make_payee("lan")
    earn(lan, 10_000)
    return lan


@pytest.fixture
def mei() -> User:
    return make_user("mei", "finance")


@pytest.fixture
def bo() -> User:
    return make_user("bo", "finance")


def held(user: User, book: Book = Book.LIVE) -> tuple[int, int, int]:
    """(available, in transit, at the bank)."""
    codes = (chart.creator_available(user.pk), chart.payout_in_transit(user.pk), chart.BANK)
    available, transit, bank = (balance(code, book=book) for code in codes)
    return available, transit, bank


def pay(payout: Payout, by: User, proof: str = "ICBC 0042") -> Payout:
    return payouts.settle(payout.pk, proof=proof, paid_on=clock.now().date(), by=by)


def test_the_whole_way_each_step_pressed_twice(lan, mei, bo):
    for _press in range(2):
        payout = payouts.request(lan, Money(6_000, "CNY"), by=mei)
    assert held(lan) == (4_000, 6_000, 0)
    for _press in range(2):
        payouts.approve(payout.pk, by=bo)
    for _press in range(2):
        pay(payout, mei)
    assert held(lan) == (4_000, 0, -6_000)
    paid = Payout.objects.get()
    assert (paid.status, paid.proof, paid.settled_by, paid.open_key) == ("paid", "ICBC 0042", mei, None)
    keys = Journal.objects.filter(ref=paid.ref).values_list("key", flat=True)
    assert set(keys) == {f"payout:{paid.reference}", f"payout:{paid.reference}:paid"}
    assert [fact.name for fact in Fact.objects.filter(name__startswith="Payout")] == ["PayoutRequested", "PayoutPaid"]


def test_the_next_one_can_be_asked_for_once_the_first_is_paid(lan, mei, bo):
    first = payouts.request(lan, Money(6_000, "CNY"), by=lan)
    with pytest.raises(payouts.AlreadyUnderWay, match=first.reference):
        payouts.request(lan, Money(100, "CNY"), by=lan)
    payouts.approve(first.pk, by=bo)
    pay(first, mei)
    assert payouts.request(lan, Money(4_000, "CNY"), by=lan).pk != first.pk
    assert held(lan) == (0, 4_000, -6_000)


@pytest.mark.parametrize("amount", [10_001, 10**16])
def test_nobody_is_paid_more_than_they_have(lan, mei, amount):
    with pytest.raises(payouts.NotAvailable, match=r"lan has ¥100\.00 to be paid out"):
        payouts.request(lan, Money(amount, "CNY"), by=mei)
    assert held(lan) == (10_000, 0, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_are_no_amounts(lan, mei, amount):
    with pytest.raises(Invalid):
        payouts.request(lan, Money(amount, "CNY"), by=mei)


def test_currencies_and_books_have_purses_of_their_own(lan, mei):
    earn(lan, 500, currency="USD")
    earn(lan, 700, book=Book.SANDBOX)
    for amount, book in (
        (Money(501, "USD"), Book.LIVE),
        (Money(701, "CNY"), Book.SANDBOX),
        (Money(1, "JPY"), Book.LIVE),
    ):
        with pytest.raises(payouts.NotAvailable):
            payouts.request(lan, amount, by=mei, book=book)
    payouts.request(lan, Money(500, "USD"), by=mei)
    rehearsal = payouts.request(lan, Money(700, "CNY"), by=mei, book=Book.SANDBOX)
    payouts.request(lan, Money(10_000, "CNY"), by=mei)
    assert rehearsal.is_rehearsal
    assert held(lan) == (0, 10_000, 0)
    assert held(lan, Book.SANDBOX) == (0, 700, 0)


def test_money_within_the_refund_window_cannot_be_paid_out(mei):
    lan = make_payee("lan")
    earn(lan, 500, is_mature=False)
    with pytest.raises(payouts.NotAvailable):
        payouts.request(lan, Money(500, "CNY"), by=mei)


def test_who_asks_and_who_gets_it_cannot_approve(lan, mei, bo):
    payout = payouts.request(lan, Money(100, "CNY"), by=mei)
    with pytest.raises(NotAllowed, match="another person"):
        payouts.approve(payout.pk, by=mei)
    keeper = make_payee("keeper", "finance", "creator")
    earn(keeper, 500)
    own = payouts.request(keeper, Money(500, "CNY"), by=mei)
    with pytest.raises(NotAllowed, match="another person"):
        payouts.approve(own.pk, by=keeper)
    payouts.approve(own.pk, by=bo)
    with pytest.raises(NotAllowed, match="their own"):
        pay(own, keeper)


def test_what_a_creator_asked_for_is_not_approved_and_paid_at_one_desk(lan, mei, bo):
    payout = ready(lan, 6_000, lan, bo)
    with pytest.raises(NotAllowed, match="somebody else writes it down as paid"):
        pay(payout, bo)
    assert held(lan) == (4_000, 6_000, 0)
    now = clock.now()
    paid = {"status": "paid", "proof": "x", "paid_on": now.date(), "settled_at": now, "open_key": None}
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.filter(pk=payout.pk).update(settled_by=bo, **paid)
    for _press in range(2):
        pay(payout, mei)
    pay(ready(lan, 4_000, mei, bo), bo, proof="ICBC 0043")
    assert held(lan) == (0, 0, -10_000)


@pytest.mark.parametrize("role", ["creator", "reviewer", "support", "member"])
def test_other_roles_decide_nothing_and_ask_for_nobody_else(lan, mei, bo, role):
    other = make_user("other", role)
    with pytest.raises(NotAllowed):
        payouts.request(lan, Money(100, "CNY"), by=other)
    payout = payouts.request(lan, Money(100, "CNY"), by=mei)
    for act in (
        lambda: payouts.approve(payout.pk, by=other),
        lambda: payouts.reject(payout.pk, reason="no", by=other),
        lambda: payouts.fail(payout.pk, reason="no", by=other),
        lambda: pay(payout, other),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert Payout.objects.get().status == "requested"


def test_the_database_itself_wants_a_second_person_and_a_proof(lan, mei, bo):
    payout = payouts.request(lan, Money(100, "CNY"), by=mei)
    rows = Payout.objects.filter(pk=payout.pk)
    now = clock.now()
    for wrong in (
        {"approved_by": mei, "approved_at": now, "status": "approved"},
        {"approved_by": lan, "approved_at": now, "status": "approved"},
        {"status": "approved"},
        {"status": "paid", "approved_by": bo, "approved_at": now, "open_key": None},
        {"status": "rejected", "open_key": None},
        {"status": "gone"},
        {"open_key": None},
        {"amount": 0},
        {"book": "other"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)


def test_rejected_and_failed_money_is_available_again(lan, mei, bo):
    payout = payouts.request(lan, Money(6_000, "CNY"), by=mei)
    for _press in range(2):
        payouts.reject(payout.pk, reason="name and account differ", by=bo)
    assert held(lan) == (10_000, 0, 0)
    second = payouts.request(lan, Money(6_000, "CNY"), by=mei)
    payouts.approve(second.pk, by=bo)
    for _press in range(2):
        payouts.fail(second.pk, reason="account closed", by=mei)
    assert held(lan) == (10_000, 0, 0)
    with pytest.raises(WrongStatus):
        payouts.approve(payout.pk, by=bo)
    assert Fact.objects.filter(name="PayoutReleased").count() == 2


def test_money_that_the_bank_sends_back_is_available_again(lan, mei, bo):
    payout = ready(lan, 6_000, mei, bo)
    pay(payout, mei)
    for _press in range(2):
        payouts.fail(payout.pk, reason="sent back on Friday", by=bo)
    assert held(lan) == (10_000, 0, 0)
    with pytest.raises(WrongStatus):
        pay(payout, mei)


def test_paid_money_is_not_rejected(lan, mei, bo):
    payout = ready(lan, 6_000, mei, bo)
    pay(payout, mei)
    with pytest.raises(WrongStatus):
        payouts.reject(payout.pk, reason="changed my mind", by=bo)
    assert held(lan) == (4_000, 0, -6_000)


def test_a_creator_takes_their_own_request_back_until_it_is_approved(lan, mei, bo):
    payout = payouts.request(lan, Money(6_000, "CNY"), by=lan)
    payouts.reject(payout.pk, reason="wrong sum", by=lan)
    assert held(lan) == (10_000, 0, 0)
    second = ready(lan, 6_000, lan, bo)
    with pytest.raises(NotAllowed):
        payouts.reject(second.pk, reason="wrong sum", by=lan)


def test_who_gets_the_money_does_not_say_that_it_came_back(mei, bo):
    keeper = make_payee("keeper", "finance", "creator")
    earn(keeper, 10_000)
    payout = ready(keeper, 6_000, mei, bo)
    for end in (payouts.reject, payouts.fail):
        with pytest.raises(NotAllowed, match="cannot end it"):
            end(payout.pk, reason="it did not arrive", by=keeper)
    pay(payout, mei)
    for end in (payouts.reject, payouts.fail):
        with pytest.raises(NotAllowed, match="cannot end it"):
            end(payout.pk, reason="it came back", by=keeper)
    assert held(keeper) == (4_000, 0, -6_000)
    payouts.fail(payout.pk, reason="it came back", by=bo)
    own = ask(keeper, 6_000, keeper)
    for _press in range(2):
        payouts.reject(own.pk, reason="wrong sum", by=keeper)
    assert held(keeper) == (10_000, 0, 0)


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_end_has_a_reason(lan, mei, bo, reason):
    payout = payouts.request(lan, Money(100, "CNY"), by=mei)
    with pytest.raises(Invalid, match="Say why"):
        payouts.reject(payout.pk, reason=reason, by=bo)


def test_paid_means_a_proof_and_a_day_that_has_come(lan, mei, bo):
    payout = ready(lan, 100, mei, bo)
    with pytest.raises(Invalid, match="reference"):
        pay(payout, mei, proof=" ")
    with pytest.raises(Invalid, match="still to come"):
        payouts.settle(payout.pk, proof="x", paid_on=date(2999, 1, 1), by=mei)
    fresh = make_payee("qi")
    earn(fresh, 100)
    with pytest.raises(WrongStatus):
        pay(payouts.request(fresh, Money(100, "CNY"), by=mei), mei)


def test_a_payout_that_does_not_exist_is_missing(bo):
    with pytest.raises(Missing):
        payouts.approve(2**62, by=bo)


# --- Rows of the fault table ----------------------------------------------------------------------


def test_row_48_a_refund_after_the_payout_is_a_debt_netted_from_what_comes_next(lan, mei, bo):
    payout = ready(lan, 10_000, mei, bo)
    pay(payout, mei)
    give_back(lan, 3_000)
    assert held(lan)[0] == -3_000
    with pytest.raises(payouts.NotAvailable, match=r"lan owes ¥30\.00 after refunds"):
        payouts.request(lan, Money(1, "CNY"), by=mei)
    earn(lan, 5_000)
    with pytest.raises(payouts.NotAvailable, match=r"has ¥20\.00"):
        payouts.request(lan, Money(2_001, "CNY"), by=mei)
    payouts.request(lan, Money(2_000, "CNY"), by=mei)
    assert held(lan) == (0, 2_000, -10_000)


def test_row_51_a_payout_paid_by_hand_is_paid_once_and_another_proof_is_refused(lan, mei, bo):
    payout = ready(lan, 6_000, mei, bo)
    pay(payout, mei, proof="ICBC 0042")
    with pytest.raises(payouts.AlreadyPaid, match="ICBC 0042"):
        pay(payout, bo, proof="ICBC 0043")
    assert held(lan) == (4_000, 0, -6_000)
    assert Payout.objects.get().proof == "ICBC 0042"


def test_row_52_a_refund_during_a_payout_stops_it_before_it_is_approved(lan, mei, bo):
    payout = payouts.request(lan, Money(10_000, "CNY"), by=mei)
    give_back(lan, 3_000)
    with pytest.raises(payouts.NotAvailable, match=r"−¥30\.00"):
        payouts.approve(payout.pk, by=bo)
    payouts.reject(payout.pk, reason="a refund came", by=bo)
    assert held(lan) == (7_000, 0, 0)
    second = payouts.request(lan, Money(7_000, "CNY"), by=mei)
    assert payouts.approve(second.pk, by=bo).status == "approved"


def test_row_54_a_payout_goes_to_the_account_it_was_asked_for_with(lan, mei, bo):
    payout = payouts.request(lan, Money(100, "CNY"), by=mei)
    payees.change(lan, "alipay", payees.PayeeDetails("Thief", "thief@example.org"))
    payouts.approve(payout.pk, by=bo)
    paid = Payout.objects.get()
    assert payees.read(paid) == DETAILS
    assert (paid.method, paid.tail) == ("bank", "···· 4821")
    assert paid.account_version != PayeeAccount.objects.get(user=lan).version


def test_row_54_nothing_is_asked_for_to_an_account_changed_just_now(lan, mei, set_clock, settings):
    settings.PAYOUT_COOLDOWN_HOURS = 48
    account = payees.change(lan, "alipay", payees.PayeeDetails("Lan", "lan@example.org"))
    with pytest.raises(payees.CoolingDown, match="was changed on"):
        payouts.request(lan, Money(100, "CNY"), by=mei)
    set_clock(account.changed_at + timedelta(hours=47, minutes=59))
    with pytest.raises(payees.CoolingDown):
        payouts.request(lan, Money(100, "CNY"), by=lan)
    set_clock(account.changed_at + timedelta(hours=48))
    assert ask(lan, 100, mei).tail == "l···@example.org"


def test_play_money_needs_no_cooling_down(lan, mei):
    earn(lan, 700, book=Book.SANDBOX)
    payees.change(lan, "alipay", payees.PayeeDetails("Lan", "lan@example.org"))
    assert payouts.request(lan, Money(700, "CNY"), by=mei, book=Book.SANDBOX).is_rehearsal
