"""Where a creator is paid to: sealed, masked, told of, and theirs alone."""

from __future__ import annotations

import pytest
from django.core import mail
from django.utils import translation

from sishu.accounts.models import User
from sishu.core import crypto
from sishu.core.errors import NotAllowed
from sishu.payouts import payees, payouts
from sishu.payouts.models import Method, PayeeAccount, Payout
from tests.factories.accounts import make_user
from tests.payouts.desk import DETAILS, ask, earn, make_payee, ready
from tests.web.desk import settle

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def lan() -> User:
    return make_payee("lan")


def test_no_row_holds_an_account_in_the_clear(lan):
    earn(lan, 100)
    ask(lan, 100, lan)
    for row in (PayeeAccount.objects.get(), Payout.objects.get()):
        assert payees.read(row) == DETAILS
        for secret in (DETAILS.account, DETAILS.holder, DETAILS.bank):
            assert secret.encode() not in bytes(row.sealed)
        assert row.tail == "···· 4821"


def test_a_sealed_account_opens_in_its_own_row_only(lan):
    earn(lan, 100)
    payout = ask(lan, 100, lan)
    other = make_payee("qi")
    payees.change(other, Method.ALIPAY, payees.PayeeDetails("Qi", "qi@example.org"))
    stolen = PayeeAccount.objects.get(user=other).sealed
    for row in (PayeeAccount.objects.get(user=lan), payout):
        row.sealed = stolen
        with pytest.raises(crypto.WrongPlace):
            payees.read(row)


def test_an_account_of_somebody_forgotten_is_replaced_not_an_error(lan):
    crypto.shred(f"user:{lan.pk}")
    with pytest.raises(crypto.SubjectKeyMissing):
        payees.read(PayeeAccount.objects.get())
    assert payees.change(lan, Method.BANK, DETAILS).version == 2
    assert payees.read(PayeeAccount.objects.get()) == DETAILS


def test_the_same_account_again_starts_no_waiting(lan):
    before = PayeeAccount.objects.get()
    again = payees.change(lan, Method.BANK, DETAILS)
    assert (again.version, again.changed_at) == (before.version, before.changed_at)


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("6222020200112234821", "···· 4821"),
        ("13800138000", "···· 8000"),
        ("lan.zhou@example.org", "l···@example.org"),
        ("abcdef", "···· ef"),
        ("abc", "····"),
        ("", "····"),
        ("@", "···@"),
    ],
)
def test_the_tail_tells_the_owner_and_nobody_else(account, shown):
    assert payees.mask(account) == shown


def test_who_has_no_verified_address_names_no_account():
    with pytest.raises(NotAllowed, match="Verify your e-mail"):
        payees.change(make_user("qi", "creator"), Method.BANK, DETAILS)


def test_without_an_account_nothing_is_asked_for():
    qi = make_user("qi", "creator", verified=True)
    earn(qi, 100)
    with pytest.raises(payees.NoAccount, match="qi has not named an account"):
        ask(qi, 100, make_user("mei", "finance"))


def test_row_54_a_change_is_told_to_every_verified_address(lan):
    settle()
    mail.outbox.clear()
    lan.emailaddress_set.create(email="second@example.org", verified=True)
    lan.emailaddress_set.create(email="thief@example.org", verified=False)
    payees.change(lan, Method.ALIPAY, payees.PayeeDetails("Lan", "lan@example.org"))
    settle()
    assert sorted(one.to for one in mail.outbox) == [["lan@example.org"], ["second@example.org"]]
    for one in mail.outbox:
        assert "Your account for payouts was changed" in one.subject
        assert "Alipay, l···@example.org" in one.body
        assert "48 hours" in one.body


def test_each_step_of_a_payout_is_told(lan):
    mei, bo = make_user("mei", "finance"), make_user("bo", "finance", display_name="Bo")
    earn(lan, 10_000)
    payout = ready(lan, 6_000, bo, mei)
    payouts.settle(payout.pk, proof="ICBC 0042", paid_on=payout.created_at.date(), by=mei)
    payouts.fail(payout.pk, reason="Account closed & gone", by=bo)
    settle()
    asked, paid, back = [one for one in mail.outbox if "payout" in one.subject or "paid" in one.subject][-3:]
    assert "Bo asked for ¥60.00 of your earnings" in asked.body
    assert "ICBC 0042" in paid.body
    assert "Account closed & gone" in back.body
    for one in (asked, paid, back):
        assert DETAILS.account not in one.body
