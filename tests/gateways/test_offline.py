"""Bank transfers as a gateway: the account, the code, and that nobody can be asked."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from sishu.core.money import Money
from sishu.gateways.base import (
    BadNotice,
    BankTransfer,
    Device,
    GatewayError,
    NoBills,
    Outcome,
    PaymentGateway,
    RefundOutcome,
)
from sishu.gateways.offline import CODE_LENGTH, LETTERS, OfflineGateway, code_of, read_code
from tests.factories.gateways import ACCOUNT
from tests.gateways.test_conformance import make_refund, make_request


@pytest.fixture
def gateway() -> OfflineGateway:
    return OfflineGateway(**ACCOUNT, currency="CNY", days=7)


def test_it_says_who_it_is(gateway):
    assert isinstance(gateway, PaymentGateway)
    assert (gateway.name, gateway.book, gateway.currencies) == ("offline", "live", {"CNY"})
    assert gateway.time_to_pay == timedelta(days=7)
    assert {gateway.product_for(device) for device in Device} == {"transfer"}


def test_it_names_the_account_and_the_same_code_however_often_it_is_asked(gateway):
    request = make_request()
    started = gateway.start(request)
    assert started == gateway.start(request)
    assert started.instruction == BankTransfer(**ACCOUNT, code=started.provider_reference)
    assert gateway.start(make_request()).provider_reference != started.provider_reference


def test_a_currency_without_an_account_is_not_begun(gateway):
    with pytest.raises(GatewayError, match="no account for USD"):
        gateway.start(make_request(due=Money(990, "USD")))


def test_nobody_can_be_asked(gateway):
    request = make_request()
    assert gateway.query(request.reference).outcome == Outcome.PENDING
    assert gateway.close(request.reference).outcome == Outcome.CLOSED
    refund = make_refund(gateway, request, Money(990, "CNY"))
    assert gateway.refund(refund).outcome == gateway.query_refund(refund).outcome == RefundOutcome.PENDING
    with pytest.raises(NoBills):
        gateway.fetch_bill(date(2026, 11, 26))
    for body in (b"", b"{}", b'{"outcome": "captured"}'):
        with pytest.raises(BadNotice):
            gateway.parse_notice({}, body)


# --- The code ---------------------------------------------------------------------------------------------------------


def test_a_code_is_short_and_has_no_letter_that_is_taken_for_another():
    codes = {code_of(f"reference{number}") for number in range(500)}
    assert len(codes) == 500
    assert {len(code) for code in codes} == {CODE_LENGTH}
    assert not set("".join(codes)) & set("ILOU")


def test_a_code_is_read_as_people_and_banks_write_it():
    code = code_of("pay0001")
    for written in (
        code,
        code.lower(),
        f" {code[:3]} {code[3:6]}-{code[6:]} ",
        code.replace("0", "O").replace("1", "l"),
    ):
        assert read_code(written) == code


def test_one_wrong_letter_or_two_swapped_are_no_code():
    code = code_of("pay0001")
    for place in range(CODE_LENGTH):
        for letter in set(LETTERS) - {code[place]}:
            assert read_code(code[:place] + letter + code[place + 1 :]) is None
    swaps = [code[:n] + code[n + 1] + code[n] + code[n + 2 :] for n in range(CODE_LENGTH - 1) if code[n] != code[n + 1]]
    # Sixteen letters apart in the alphabet is what the check cannot see.
    near = [s for n, s in enumerate(swaps[:-1]) if abs(LETTERS.index(code[n]) - LETTERS.index(code[n + 1])) != 16]
    assert [swapped for swapped in near if read_code(swapped)] == []


@pytest.mark.parametrize("text", ["", "20261126-7KQ2M9XA", "ann", "UUUUUUUUU", "Ⅷ" * 9, "\0" * 9])
def test_what_is_no_code_is_none(text):
    assert read_code(text) is None


# --- Settings ---------------------------------------------------------------------------------------------------------


def test_there_is_an_account_for_each_currency():
    euro = {"payee": "Sishu", "account": "DE02 1203 0000 0000 2020 51", "bank": "DKB"}
    gateway = OfflineGateway(accounts=json.dumps({"EUR": euro}), **ACCOUNT, currency="CNY", days=7)
    assert gateway.currencies == {"CNY", "EUR"}
    transfer = gateway.start(make_request(due=Money(990, "EUR"))).instruction
    assert isinstance(transfer, BankTransfer)
    assert (transfer.payee, transfer.account) == ("Sishu", euro["account"])


@pytest.mark.parametrize(
    ("options", "said"),
    [({}, "no account to name"), ({"payee": "A", "bank": "B"}, "has no account"), ({"accounts": "{"}, "cannot be read"),
     ({"accounts": "[]"}, "another kind"), ({"accounts": '{"CNY": 1}'}, "another kind"),
     ({"accounts": '{"yuan": {}}'}, "is in 'yuan'"), ({"accounts": '{"CNY": {"payee": 1}}'}, "no payee, account, bank"),
     ({**ACCOUNT, "days": 0}, "OFFLINE_DAYS is 0"), ({**ACCOUNT, "days": 400}, "OFFLINE_DAYS is 400")],
)  # fmt: skip
def test_settings_that_nobody_could_pay_by_are_refused(options, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        OfflineGateway(**{"currency": "CNY", "days": 7} | options)
