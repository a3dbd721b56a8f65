"""Alipay's products, lost answers, what cannot be closed, refunds that wait, and answers about something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from paysim.china import CHINA
from paysim.http import Answer
from sishu.core.money import Money
from sishu.gateways import alipay_signing as signing
from sishu.gateways.base import Device, GatewayError, Outcome, Redirect, RefundOutcome, ScanCode
from tests.gateways.test_conformance import make_refund, make_request


def test_each_device_has_its_product(make):
    names = {device: make().product_for(device) for device in Device}
    assert names == {Device.DESKTOP: "page", Device.MOBILE: "wap", Device.WEIXIN: "wap"}
    assert make(desktop_product="qr").product_for(Device.DESKTOP) == "qr"


@pytest.mark.parametrize(("product", "method", "code"), [
    ("page", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"), ("wap", "alipay.trade.wap.pay", "QUICK_WAP_WAY"),
])  # fmt: skip
def test_a_page_leads_to_the_cashier_and_back(simulator, gateway, product, method, code):
    request = make_request(product=product, return_url="http://127.0.0.1:9/back?order=1&x=2", title="a/b = c & d")
    instruction = gateway.start(request).instruction
    assert isinstance(instruction, Redirect)
    said = {key: value[0] for key, value in parse_qs(urlsplit(instruction.url).query).items()}
    terms = json.loads(said["biz_content"])
    assert (said["method"], terms["product_code"], terms["subject"]) == (method, code, "a／b ＝ c ＆ d")
    assert terms["time_expire"] == f"{request.expires_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    cashier = requests.get(instruction.url, allow_redirects=False).headers["Location"]
    back = requests.post(cashier, {"ending": "pay"}, allow_redirects=False).headers["Location"]
    assert back.startswith(f"{request.return_url}&")
    assert "trade_status" not in back
    assert gateway.query(request.reference).outcome == Outcome.CAPTURED


def test_a_scanned_code_leads_to_the_cashier(make):
    gateway, request = make(desktop_product="qr"), make_request()
    instruction = gateway.start(request).instruction
    assert isinstance(instruction, ScanCode)
    assert gateway.query(request.reference).outcome == Outcome.UNKNOWN  # not yet
    assert "事故报告里没有坏人" in requests.get(instruction.text).text
    assert gateway.query(request.reference).outcome == Outcome.PENDING


def test_requests_are_told_in_chinas_time_and_nothing_but_the_charset_stands_in_the_address(alipay, gateway, set_clock):
    set_clock(datetime(2026, 12, 31, 20, 0, tzinfo=UTC))
    asked = []
    handle, alipay.handle = alipay.handle, lambda one: asked.append(one) or handle(one)
    assert gateway.query("neverheardof0001").outcome == Outcome.UNKNOWN
    assert alipay.calls[-1]["timestamp"] == "2027-01-01 04:00:00"
    assert asked[-1].target.endswith("/gateway.do?charset=utf-8")
    assert asked[-1].method == "POST"


@pytest.mark.parametrize("kind", ["timeout", "error_after_effect", "error_before_effect"])
def test_row_23_the_answer_to_a_code_is_lost(simulator, make, fault, kind):
    gateway, request = make(desktop_product="qr", timeout=(2.0, 0.3)), make_request()
    fault(kind)
    with pytest.raises(GatewayError):
        gateway.start(request)
    assert gateway.start(request) == gateway.start(request)
    assert len(simulator.bank.charges("alipay")) == 1


def test_row_31_paid_at_alipay_in_the_moment_it_is_closed(gateway, begun, fault):
    fault("pay_while_closing")
    assert gateway.close(begun.reference).outcome == Outcome.CAPTURED


def test_row_32_a_close_that_alipay_confirmed_is_asked_after(simulator, gateway, begun, fault):
    fault("close_without_effect")
    assert gateway.close(begun.reference).outcome == Outcome.PENDING
    simulator.bank.pay("alipay", begun.reference)
    assert gateway.close(begun.reference).outcome == Outcome.CAPTURED


@pytest.mark.parametrize("product", ["qr", "page"])
def test_row_32_what_nobody_opened_cannot_be_closed_and_stays_payable(simulator, gateway, product):
    request = make_request(product=product)
    instruction = gateway.start(request).instruction
    assert gateway.close(request.reference).outcome == Outcome.UNKNOWN
    assert requests.get(instruction.text if product == "qr" else instruction.url).ok
    simulator.bank.pay("alipay", request.reference)
    assert gateway.query(request.reference).captured == Money(990, "CNY")


def test_row_32_its_only_end_is_its_time(simulator, gateway):
    codes = [gateway.start(make_request(product="qr")).instruction.text, gateway.start(make_request()).instruction.url]
    simulator.clock.advance(timedelta(minutes=31).total_seconds())
    answers = [requests.get(code) for code in codes]
    assert answers[0].status_code == 410
    assert "ACQ.INVALID_PARAMETER" in answers[1].text


@pytest.mark.parametrize("kind", ["timeout", "error_after_effect", "error_before_effect"])
def test_row_43_the_answer_to_a_refund_of_alipay_is_lost(simulator, make, paid, fault, kind):
    gateway = make(timeout=(2.0, 0.3))
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault(kind)
    with pytest.raises(GatewayError):
        gateway.refund(refund)
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED
    assert simulator.bank.books("alipay")["CNY"]["refunded"] == 990


def test_row_43_a_number_that_was_used_for_another_sum_says_what_it_was(gateway, paid):
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    gateway.refund(refund)
    other = make_refund(gateway, paid, Money(91, "CNY"))
    known = gateway.refund(type(other)(**{**_fields(other), "reference": refund.reference}))
    assert (known.outcome, known.refunded) == (RefundOutcome.SUCCEEDED, Money(90, "CNY"))


def _fields(value) -> dict:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def test_row_44_a_refund_alipay_refuses_is_refused(gateway, paid, fault):
    fault("refund_refused")
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    assert gateway.refund(refund).outcome == RefundOutcome.FAILED
    assert gateway.query_refund(refund).outcome == RefundOutcome.UNKNOWN


def test_row_44_a_refund_that_moved_nothing_is_tried_again_under_its_number(simulator, gateway, paid, fault):
    fault("refund_abnormal")
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    assert gateway.refund(refund).outcome == RefundOutcome.PENDING
    assert gateway.query_refund(refund).outcome == RefundOutcome.UNKNOWN
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED
    assert simulator.bank.books("alipay")["CNY"]["refunded"] == 990


def test_a_refund_on_its_way_is_told_of_when_it_arrives(simulator, alipay, gateway, paid, fault):
    fault("refund_pending")
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    assert gateway.refund(refund).outcome == RefundOutcome.PENDING
    simulator.bank.settle_refund("alipay", paid.reference, refund.reference)
    told = gateway.parse_notice(*alipay.events.notice(paid.reference)).snapshot
    assert told.refunds == (gateway.query_refund(refund),)
    assert told.refunds[0].outcome == RefundOutcome.SUCCEEDED


def test_row_49_a_balance_at_alipay_that_is_too_low_is_no_refusal(gateway, paid, fault):
    fault("balance_too_low")
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    with pytest.raises(GatewayError, match="SELLER_BALANCE_NOT_ENOUGH"):
        gateway.refund(refund)
    assert gateway.query_refund(refund).outcome == RefundOutcome.UNKNOWN
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED


def answering(alipay, text: str, *, status: int = 200) -> None:
    """Let Alipay answer everything with this; `{sign}` in it is its signature of what stands in «»."""
    inner = text.partition("«")[2].partition("»")[0]
    signature = signing.sign(alipay.signing_key, inner)
    body = text.replace("«", "").replace("»", "").replace("{sign}", signature).encode()
    alipay.handle = lambda _asked: Answer(status, body)


TRADE = '"code":"10000","trade_no":"1","trade_status":"TRADE_SUCCESS","send_pay_date":"2026-11-26 10:00:00"'


@pytest.mark.parametrize("text", [
    "", "<html>", "[]", "{}", "null", '{"sign":"{sign}"}', '{"alipay_trade_query_response":"«x»","sign":"{sign}"}',
    # Unsigned, or about another payment, or not to be read.
    '{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}',
    '{"alipay_trade_query_response":{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}',
    '{"alipay_trade_query_response":«{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}»,"sign":"{sign}"}',
    '{"alipay_trade_query_response":«{"code":"20000","sub_code":"isp.unknow-error"}»,"sign":"{sign}"}',
    '{"alipay_trade_query_response":«{"code":"40006"}»,"sign":"{sign}"}',
    '{"alipay_trade_query_response":«{' + TRADE + ',"out_trade_no":"other","total_amount":"9.90"}»,"sign":"{sign}"}',
    '{"alipay_trade_query_response":«{' + TRADE + ',"out_trade_no":"ours0001","total_amount":9.9}»,"sign":"{sign}"}',
    '{"alipay_trade_query_response":«{' + TRADE + ',"out_trade_no":"ours0001"}»,"sign":"{sign}"}',
    # The same name twice: one for the check, one for its reader.
    '{"alipay_trade_query_response":«{"code":"10000"}»,"sign":"{sign}","alipay_trade_query_response":{' + TRADE
    + ',"out_trade_no":"ours0001","total_amount":"9.90"}}',
])  # fmt: skip
def test_an_answer_that_is_not_clear_is_no_answer(alipay, gateway, text):
    answering(alipay, text)
    with pytest.raises(GatewayError):
        gateway.query("ours0001")


def test_an_answer_is_verified_as_it_was_sent_and_a_redirect_is_none(alipay, gateway):
    spaced = (
        ' { "alipay_trade_query_response" : «{ ' + TRADE
        + ', "out_trade_no":"ours0001","total_amount":"9.90", "subject":"\\/ {\\" \\u4e00" }» ,\n"sign":"{sign}" }'
    )  # fmt: skip
    answering(alipay, spaced)
    assert gateway.query("ours0001").captured == Money(990, "CNY")
    answering(alipay, spaced, status=500)
    with pytest.raises(GatewayError, match="500"):
        gateway.query("ours0001")
    alipay.handle = lambda _asked: Answer.redirect("http://127.0.0.1:9/")
    with pytest.raises(GatewayError, match="303"):
        gateway.query("ours0001")
