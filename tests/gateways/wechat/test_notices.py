"""WeChat Pay's notices: two kinds of keys, clocks, probes, and what strangers send."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta

import pytest

from paysim.providers.wechat_keys import Signer
from sishu.core import clock
from sishu.core.money import Money
from sishu.gateways.base import (
    BadNotice,
    GatewayError,
    Outcome,
)
from tests.gateways.test_conformance import make_request


def test_row_08_a_notice_signed_with_a_key_of_nobodys(wechat, gateway, paid, fault):
    fault("forged_signature")
    with pytest.raises(BadNotice):
        gateway.parse_notice(*wechat.events.notice(paid.reference))
    assert gateway.parse_notice(*wechat.events.notice(paid.reference)).reference == paid.reference


@pytest.mark.parametrize("whose", ["merchant", "app"])
def test_row_09_a_genuine_notice_for_another_merchant_or_app(simulator, wechat, gateway, fault, whose):
    request = make_request()
    gateway.start(request)
    if whose == "merchant":
        fault("other_merchant")
    else:
        wechat.app = "wx0000000000000000"
    simulator.bank.pay("wechat", request.reference)
    with pytest.raises(BadNotice):
        gateway.parse_notice(*wechat.events.notice(request.reference))
    if whose == "app":
        with pytest.raises(GatewayError):
            gateway.query(request.reference)


@pytest.mark.parametrize(("kind", "value", "captured"), [
    ("wrong_amount", 1, Money(1, "CNY")), ("wrong_currency", "HKD", Money(990, "HKD")),
])  # fmt: skip
def test_row_10_12_another_sum_or_currency_is_told_as_it_is(simulator, wechat, gateway, fault, kind, value, captured):
    request = make_request()
    gateway.start(request)
    fault(kind, value)
    simulator.bank.pay("wechat", request.reference)
    told = gateway.parse_notice(*wechat.events.notice(request.reference)).snapshot
    assert gateway.query(request.reference) == told
    assert told.captured == captured


@pytest.mark.parametrize(("seconds", "is_heard"), [(0, True), (290, True), (-290, True), (310, False), (-310, False)])
def test_row_14_ten_minutes_are_too_far_either_way(wechat, gateway, paid, fault, seconds, is_heard):
    fault("old_timestamp", seconds)
    notice = wechat.events.notice(paid.reference)
    if is_heard:
        assert gateway.parse_notice(*notice).reference == paid.reference
        return
    with pytest.raises(BadNotice, match="300 seconds"):
        gateway.parse_notice(*notice)


def test_row_14_an_answer_that_is_too_old_is_not_believed(gateway, paid, set_clock):
    set_clock(clock.now() + timedelta(minutes=6))
    with pytest.raises(GatewayError, match="300 seconds"):
        gateway.query(paid.reference)


def test_row_16_notices_under_both_kinds_of_keys_are_verified(wechat, make, paid):
    certificate = wechat.keys.certificates[0]
    moving = make(platform_certs=certificate.pem)
    for _ in range(3):
        for signer in (wechat.keys.public_signer, certificate.signer):
            assert moving.parse_notice(*wechat.events.notice(paid.reference, signer=signer)).snapshot.captured
    assert "GET /v3/certificates" not in wechat.calls


def test_row_16_a_certificate_nobody_gave_us_is_fetched_with_our_own_next_call(wechat, gateway, paid, fault):
    fault("other_key", times=3)
    with pytest.raises(BadNotice):
        gateway.parse_notice(*wechat.events.notice(paid.reference))
    gateway.query(paid.reference)
    assert gateway.parse_notice(*wechat.events.notice(paid.reference)).reference == paid.reference


def test_row_67_old_and_new_certificate_are_both_believed(wechat, make, set_clock):
    gateway = make(public_key="", public_key_id="")
    request = make_request()
    gateway.start(request)
    wechat.sim.bank.pay("wechat", request.reference)
    old, new = wechat.keys.certificates[0], wechat.keys.renew_certificate()
    with pytest.raises(GatewayError):
        gateway.query(request.reference)  # signed by what is not known yet
    set_clock(clock.now() + timedelta(seconds=61))
    assert gateway.query(request.reference).outcome == Outcome.CAPTURED
    for signer in (old.signer, new.signer):
        assert gateway.parse_notice(*wechat.events.notice(request.reference, signer=signer)).snapshot


def test_certificates_that_one_process_fetched_are_known_to_the_others(wechat, make, paid):
    make(public_key="", public_key_id="").query(paid.reference)
    wechat.calls.clear()
    notice = wechat.events.notice(paid.reference, signer=wechat.keys.certificates[0].signer)
    assert make(public_key="", public_key_id="").parse_notice(*notice).reference == paid.reference
    assert make().parse_notice(*notice).reference == paid.reference
    assert wechat.calls == []


def test_row_68_forged_notices_with_serials_nobody_has_make_no_call(wechat, gateway, paid):
    wechat.calls.clear()
    key = wechat.keys.public

    def forge(times: int) -> None:
        for serial in [secrets.token_hex(20).upper() for _ in range(times)] + ["", "PUB_KEY_ID_0", "1_0", "../x"]:
            with pytest.raises(BadNotice):
                gateway.parse_notice(*wechat.events.notice(paid.reference, signer=Signer(serial, key)))

    forge(50)
    assert wechat.calls == []
    for _ in range(3):
        gateway.query(paid.reference)
        forge(5)
    # With our own calls one question in a minute goes along, however many forge.
    assert wechat.calls.count("GET /v3/certificates") == 1
    assert len(wechat.calls) == 4


@pytest.mark.parametrize("change", [
    {"Wechatpay-Signature-Type": ""}, {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"},
    {"Wechatpay-Timestamp": "soon"}, {"Wechatpay-Timestamp": "１７"}, {"Wechatpay-Timestamp": "9" * 400},
    {"Wechatpay-Signature": "%%%"}, {"Wechatpay-Signature": "ü"}, {"Wechatpay-Nonce": "ü"},
])  # fmt: skip
def test_strange_headers_are_refused(wechat, gateway, paid, change):
    headers, body = wechat.events.notice(paid.reference)
    with pytest.raises(BadNotice):
        gateway.parse_notice(headers | change, body)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b"null", b'{"resource_type":"encrypt-resource"}'])
def test_signed_nonsense_is_refused(simulator, wechat, gateway, body):
    # What is signed is text: for bytes that are none, the signature is another's.
    headers = wechat.keys.public_signer.headers(body if body != b"\xff\xfe" else b"", clock.now())
    with pytest.raises(BadNotice):
        gateway.parse_notice(headers, body)


def test_a_notice_sealed_with_another_key_is_refused(wechat, make, paid):
    with pytest.raises(BadNotice):
        make(api_v3_key="0" * 32).parse_notice(*wechat.events.notice(paid.reference))


def test_a_notice_about_something_else_is_about_no_payment(wechat, gateway):
    sealed = wechat.keys.seal('{"mch_id":"1"}', about="mch_payment", kind="mch_payment")
    body = json.dumps({
        "id": "n1", "event_type": "MCHTRANSFER.BILL.FINISHED", "resource_type": "encrypt-resource", "resource": sealed
    }).encode()  # fmt: skip
    notice = gateway.parse_notice(wechat.keys.public_signer.headers(body, clock.now()), body)
    assert (notice.notice_id, notice.reference, notice.snapshot) == ("n1", "", None)
