"""Alipay's notices: titles, empty fields, what refunds and time make of a trade, and what strangers send."""

from __future__ import annotations

from datetime import UTC, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest

from paysim.china import CHINA
from sishu.core.money import Money
from sishu.gateways.base import BadNotice, Outcome, RefundOutcome, RefundSnapshot
from tests.gateways.test_conformance import make_refund

TITLE = '“讲” {"a": [1, }}] & b=c + 50% \\ / \u2028 🐎 {'


def test_row_08_a_notice_of_alipay_signed_with_a_key_of_nobodys(alipay, gateway, paid, fault):
    fault("forged_signature")
    with pytest.raises(BadNotice):
        gateway.parse_notice(*alipay.events.notice(paid.reference))
    assert gateway.parse_notice(*alipay.events.notice(paid.reference)).reference == paid.reference


@pytest.mark.parametrize("whose", ["app", "seller"])
def test_row_09_a_genuine_notice_for_another_app_or_seller(simulator, alipay, gateway, begun, fault, whose):
    fault("other_merchant", whose)
    simulator.bank.pay("alipay", begun.reference)
    with pytest.raises(BadNotice, match="another"):
        gateway.parse_notice(*alipay.events.notice(begun.reference))


@pytest.mark.parametrize(("kind", "value", "captured"), [
    ("wrong_amount", 1, Money(1, "CNY")), ("wrong_currency", "HKD", Money(990, "HKD")),
])  # fmt: skip
def test_row_10_12_another_sum_or_currency_is_told_by_alipay_as_it_is(
    simulator, alipay, gateway, begun, fault, kind, value, captured
):
    fault(kind, value)
    simulator.bank.pay("alipay", begun.reference)
    told = gateway.parse_notice(*alipay.events.notice(begun.reference)).snapshot
    assert gateway.query(begun.reference) == told
    assert told.captured == captured


@pytest.mark.parametrize("seconds", [600, -600, 10**7])
def test_row_14_alipays_notices_have_no_window_and_an_old_one_says_nothing_new(alipay, gateway, paid, fault, seconds):
    fault("old_timestamp", seconds)
    assert gateway.parse_notice(*alipay.events.notice(paid.reference)).snapshot == gateway.query(paid.reference)


def test_row_17_braces_quotes_ampersands_and_emoji_in_a_title(simulator, alipay, gateway, begun):
    simulator.bank.find("alipay", begun.reference).title = TITLE
    simulator.bank.pay("alipay", begun.reference)
    notice = alipay.events.notice(begun.reference)
    assert dict(parse_qsl(notice[1].decode()))["subject"] == TITLE
    told = gateway.parse_notice(*notice).snapshot
    assert told == gateway.query(begun.reference)
    assert told.captured == Money(990, "CNY")


def test_row_18_empty_parameters_may_be_kept_or_dropped(alipay, gateway, paid):
    headers, body = alipay.events.notice(paid.reference)
    assert b"&body=&" in body
    dropped = urlencode(parse_qsl(body.decode())).encode()
    assert dropped != body
    more = body + b"&passback_params="
    first, *others = (gateway.parse_notice(headers, one) for one in (body, dropped, more))
    assert all(other == first for other in others)


def test_row_19_finished_months_later_is_the_same_payment(simulator, alipay, gateway, paid):
    before = gateway.query(paid.reference)
    simulator.clock.advance(90 * 86400)
    alipay.events.finish(paid.reference)
    told = gateway.parse_notice(*alipay.events.notice(paid.reference)).snapshot
    assert told == gateway.query(paid.reference) == before


def test_row_20_paid_said_again_for_a_part_that_went_back_is_that_refund(alipay, gateway, paid):
    parts = [make_refund(gateway, paid, Money(part, "CNY")) for part in (100, 300)]
    for part in parts:
        gateway.refund(part)
        said = dict(parse_qsl(alipay.events.notice(paid.reference)[1].decode()))
        notice = gateway.parse_notice(*alipay.events.notice(paid.reference))
        assert said["trade_status"] == "TRADE_SUCCESS"
        assert notice.snapshot.refunds == (RefundSnapshot(part.reference, RefundOutcome.SUCCEEDED, part.amount),)
        assert notice.snapshot.captured == Money(990, "CNY")
    assert said["refund_fee"] == "4.00"  # of both


def test_row_20_a_refund_without_a_number_is_left_to_the_bill(simulator, alipay, gateway, paid):
    simulator.bank.find("alipay", paid.reference).extra["hides_numbers"] = True
    simulator.bank.refund("alipay", paid.reference, refund_reference="console0001", amount=90, is_external=True)
    told = gateway.parse_notice(*alipay.events.notice(paid.reference)).snapshot
    assert (told.captured, told.refunds) == (Money(990, "CNY"), ())


def test_row_21_closed_unpaid_and_closed_by_refund_are_told_apart(simulator, alipay, gateway, begun, paid):
    gateway.refund(make_refund(gateway, paid, Money(990, "CNY")))
    notice = alipay.events.notice(paid.reference)
    assert dict(parse_qsl(notice[1].decode()))["trade_status"] == "TRADE_CLOSED"
    told, asked = gateway.parse_notice(*notice).snapshot, gateway.query(paid.reference)
    assert (told.outcome, asked.outcome) == (Outcome.CAPTURED, Outcome.CAPTURED)
    assert told.captured == asked.captured == Money(990, "CNY")
    assert [one.refunded for one in told.refunds] == [Money(990, "CNY")]
    # The same words by a trade that nobody paid.
    unpaid = {"gmt_payment": "", "refund_fee": "", "gmt_refund": "", "out_biz_no": ""}
    told = gateway.parse_notice(*alipay.events.notice(paid.reference, **unpaid)).snapshot
    assert (told.outcome, told.captured) == (Outcome.CLOSED, None)


def test_row_21_a_trade_whose_time_is_up_is_closed(simulator, alipay, gateway, begun):
    simulator.clock.advance(31 * 60)
    assert gateway.query(begun.reference).outcome == Outcome.CLOSED
    told = gateway.parse_notice(*alipay.events.notice(begun.reference)).snapshot
    assert (told.outcome, told.captured) == (Outcome.CLOSED, None)


def test_chinas_time_becomes_ours(simulator, alipay, gateway, paid):
    at = simulator.bank.find("alipay", paid.reference).paid_at
    said = dict(parse_qsl(alipay.events.notice(paid.reference)[1].decode()))
    assert said["gmt_payment"] == f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    told = gateway.query(paid.reference).captured_at
    assert (told, told.tzinfo) == (at.replace(microsecond=0), UTC)
    assert at - told < timedelta(seconds=1)


@pytest.mark.parametrize("change", [
    {"trade_status": "TRADE_STRANGE"}, {"total_amount": "9.9O"}, {"total_amount": "9.905"}, {"total_amount": "-9.90"},
    {"total_amount": "0.00"}, {"total_amount": ""}, {"out_trade_no": ""}, {"gmt_payment": "yesterday"},
    {"gmt_payment": ""}, {"notify_id": ""}, {"trans_currency": "cny"},
])  # fmt: skip
def test_signed_nonsense_is_refused(alipay, gateway, paid, change):
    with pytest.raises(BadNotice, match="makes no sense"):
        gateway.parse_notice(*alipay.events.notice(paid.reference, **change))


def test_a_notice_about_something_else_is_about_no_payment(alipay, gateway, paid):
    notice = gateway.parse_notice(*alipay.events.notice(paid.reference, notify_type="dut_user_sign", out_trade_no=""))
    assert (notice.reference, notice.snapshot) == ("", None)
    assert notice.notice_id


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"{}", b"&&&", b"=&=", b"sign=", b"sign=AAAA", b"sign=%FF", b"a" * 60000]
)
def test_what_is_no_notice_is_refused(gateway, body):
    with pytest.raises(BadNotice):
        gateway.parse_notice({"Content-Type": "application/x-www-form-urlencoded"}, body)


def test_a_field_that_comes_twice_is_refused(alipay, gateway, paid):
    headers, body = alipay.events.notice(paid.reference)
    for twice in (b"&total_amount=0.01", b"&out_trade_no=other0001", b"&sign=AAAA"):
        with pytest.raises(BadNotice):
            gateway.parse_notice(headers, body + twice)
