"""WeChat Pay's products, lost answers, closing, who the buyer is, and refunds that fail late."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from paysim.providers.wechat_keys import Signer
from sishu.core.money import Money
from sishu.gateways.base import (
    Device,
    EntryKind,
    GatewayError,
    KnowsPayers,
    Outcome,
    Redirect,
    RefundOutcome,
    RefundSnapshot,
    ScanCode,
    WeixinBridge,
)
from tests.gateways.test_conformance import make_refund, make_request


def test_each_device_has_its_product(make):
    names = {device: make().product_for(device) for device in Device}
    assert names == {Device.DESKTOP: "native", Device.MOBILE: "h5", Device.WEIXIN: "jsapi"}
    assert make(app_secret="").product_for(Device.WEIXIN) == "native"
    assert make(app_secret="").identify_url("https://x/", "s") is None


def test_h5_leads_to_the_cashier_and_back(simulator, gateway):
    request = make_request(product="h5", client_ip="203.0.113.9", return_url="http://127.0.0.1:9/back?order=1&x=2")
    instruction = gateway.start(request).instruction
    assert isinstance(instruction, Redirect)
    cashier = requests.get(instruction.url, allow_redirects=False).headers["Location"]
    back = requests.post(cashier, {"ending": "pay"}, allow_redirects=False).headers["Location"]
    assert back == request.return_url
    assert gateway.query(request.reference).outcome == Outcome.CAPTURED


def test_a_scanned_code_leads_to_the_cashier(gateway):
    instruction = gateway.start(make_request()).instruction
    assert isinstance(instruction, ScanCode)
    assert "事故报告里没有坏人" in requests.get(instruction.text).text


def test_in_wechat_the_buyer_is_recognised_and_pays_by_a_signed_call(wechat, gateway):
    assert isinstance(gateway, KnowsPayers)
    url = gateway.identify_url("http://127.0.0.1:9/back?a=b", "state 1")
    back = urlsplit(requests.get(url, allow_redirects=False).headers["Location"])
    said = parse_qs(back.query)
    assert (said["a"], said["state"]) == (["b"], ["state 1"])
    payer = gateway.identify(said["code"][0])
    with pytest.raises(GatewayError, match="40029"):
        gateway.identify(said["code"][0])
    bridge = gateway.start(make_request(product="jsapi", payer=payer)).instruction
    assert isinstance(bridge, WeixinBridge)
    call = bridge.parameters
    assert call["signType"] == "RSA"
    message = "".join(call[key] + "\n" for key in ("appId", "timeStamp", "nonceStr", "package"))
    assert call["paySign"] == Signer("", wechat.keys.merchant).sign(message)
    with pytest.raises(GatewayError, match="identify"):
        gateway.start(make_request(product="jsapi"))


@pytest.mark.parametrize("kind", ["timeout", "error_after_effect", "error_before_effect"])
def test_row_23_the_answer_to_a_beginning_is_lost(simulator, make, fault, kind):
    gateway, request = make(timeout=(2.0, 0.3)), make_request()
    fault(kind)
    with pytest.raises(GatewayError):
        gateway.start(request)
    assert gateway.start(request) == gateway.start(request)
    assert len(simulator.bank.charges("wechat")) == 1


def test_row_31_paid_in_the_moment_it_is_closed(gateway, fault):
    request = make_request()
    gateway.start(request)
    fault("pay_while_closing")
    assert gateway.close(request.reference).outcome == Outcome.CAPTURED


def test_row_32_a_confirmed_close_is_asked_after(simulator, gateway, fault):
    request = make_request()
    gateway.start(request)
    fault("close_without_effect")
    assert gateway.close(request.reference).outcome == Outcome.PENDING
    simulator.bank.pay("wechat", request.reference)
    assert gateway.close(request.reference).outcome == Outcome.CAPTURED
    assert gateway.close("neverheardof0001").outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("kind", ["timeout", "error_after_effect", "error_before_effect"])
def test_row_43_the_answer_to_a_refund_is_lost(simulator, make, paid, fault, kind):
    gateway = make(timeout=(2.0, 0.3))
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault(kind)
    with pytest.raises(GatewayError):
        gateway.refund(refund)
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED
    assert simulator.bank.books("wechat")["CNY"]["refunded"] == 990


def test_row_44_a_refund_that_is_accepted_and_then_fails(wechat, gateway, paid, fault):
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault("refund_abnormal")
    assert gateway.refund(refund).outcome == RefundOutcome.PENDING
    assert gateway.query_refund(refund).outcome == RefundOutcome.FAILED
    (told,) = gateway.parse_notice(*wechat.events.notice(paid.reference)).snapshot.refunds
    assert told == gateway.query_refund(refund)


def test_row_44_a_refund_that_wechat_closed_is_asked_for_anew_under_another_number(
    simulator, wechat, gateway, paid, fault, next_day
):
    first = make_refund(gateway, paid, Money(990, "CNY"))
    fault("refund_closed")
    assert gateway.refund(first).outcome == RefundOutcome.PENDING
    closed = gateway.query_refund(first)
    assert (closed.reference, closed.outcome, closed.attempt) == (first.reference, RefundOutcome.FAILED, 0)
    assert gateway.parse_notice(*wechat.events.notice(paid.reference)).snapshot.refunds == (closed,)
    assert gateway.refund(first).outcome == RefundOutcome.FAILED  # until people ask for it anew
    second = replace(first, attempt=1)
    assert gateway.query_refund(second).outcome == RefundOutcome.UNKNOWN
    for _ in range(2):
        assert gateway.refund(second).outcome == gateway.query_refund(second).outcome == RefundOutcome.SUCCEEDED
    third = replace(first, attempt=2)  # it is the second that went
    assert gateway.refund(third) == gateway.query_refund(third) == gateway.query_refund(second)
    (told,) = gateway.parse_notice(*wechat.events.notice(paid.reference)).snapshot.refunds
    assert told == RefundSnapshot(first.reference, RefundOutcome.SUCCEEDED, Money(990, "CNY"))
    assert simulator.bank.books("wechat")["CNY"]["refunded"] == 990
    returned = [one for one in gateway.fetch_bill(next_day()).entries if one.kind == EntryKind.REFUND]
    assert [(one.refund_reference, one.amount) for one in returned] == [(first.reference, Money(-990, "CNY"))]


def test_row_44_a_refund_that_waits_at_wechats_console_is_never_sent_under_another_number(
    simulator, gateway, paid, fault
):
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    fault("refund_abnormal")
    gateway.refund(refund)
    for attempt in (1, 2):
        again = replace(refund, attempt=attempt)
        assert gateway.refund(again).outcome == gateway.query_refund(again).outcome == RefundOutcome.FAILED
    assert len(simulator.bank.find("wechat", paid.reference).refunds) == 1


def test_a_refund_on_its_way_is_told_of_when_it_arrives(simulator, wechat, gateway, paid, fault):
    refund = make_refund(gateway, paid, Money(90, "CNY"))
    fault("refund_pending")
    assert gateway.refund(refund).outcome == gateway.query_refund(refund).outcome == RefundOutcome.PENDING
    simulator.bank.settle_refund("wechat", paid.reference, refund.reference)
    told = gateway.parse_notice(*wechat.events.notice(paid.reference)).snapshot
    assert told.refunds == (gateway.query_refund(refund),)
    assert (told.captured, told.refunds[0].outcome) == (Money(990, "CNY"), RefundOutcome.SUCCEEDED)


def test_row_49_a_balance_that_is_too_low_is_no_refusal(gateway, paid, fault):
    refund = make_refund(gateway, paid, Money(990, "CNY"))
    fault("balance_too_low")
    with pytest.raises(GatewayError, match="NOT_ENOUGH"):
        gateway.refund(refund)
    assert gateway.query_refund(refund).outcome == RefundOutcome.UNKNOWN
    assert gateway.refund(refund).outcome == RefundOutcome.SUCCEEDED
