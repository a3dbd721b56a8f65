"""WeChat Pay's keys: named when they are wrong, never shown, and good for one address only."""

from __future__ import annotations

import logging
from datetime import UTC
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from django.views.debug import SafeExceptionReporterFilter

from sishu.gateways.base import (
    BadNotice,
    GatewayError,
    Outcome,
)
from sishu.gateways.wechat import WechatGateway
from tests.gateways.test_conformance import make_request


@pytest.mark.parametrize(("change", "says"), [
    ({"mch_id": "", "api_v3_key": ""}, "WECHAT_MCH_ID, WECHAT_API_V3_KEY"), ({"private_key": "PEM"}, "WECHAT_PRIVATE_KEY"),
    ({"api_v3_key": "short"}, "32 characters"), ({"public_key_id": ""}, "belong together"),
    ({"public_key": "PEM"}, "pub_key.pem"), ({"public_key_id": "ABC"}, "PUB_KEY_ID_"),
    ({"cert_serial": "no hex"}, "WECHAT_CERT_SERIAL"), ({"platform_certs": "PEM"}, "WECHAT_PLATFORM_CERTS"),
])  # fmt: skip
def test_a_key_that_is_missing_or_unreadable_is_named_and_not_shown(make, change, says):
    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        make(**change)
    assert "PRIVATE KEY-----" not in str(caught.value)


def test_an_older_form_of_the_merchants_key_will_do(wechat, make):
    old = wechat.keys.merchant.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert make(private_key=old.replace("\n", "\r\n")).query("neverheardof0001").outcome == Outcome.UNKNOWN


def test_row_69_play_money_needs_leave(settings, make):
    assert make().book == "sandbox"
    assert make(url="https://api.mch.weixin.qq.com/").book == "live"
    settings.ALLOW_SANDBOX = False
    with pytest.raises(ImproperlyConfigured, match="SISHU_ALLOW_SANDBOX=1"):
        make()


def test_row_69_what_a_simulator_signs_is_nothing_at_the_true_address(wechat, make, paid):
    make(public_key="", public_key_id="").query(paid.reference)  # its certificates are kept by now
    other = make(public_key="", public_key_id="", url="https://api.mch.weixin.qq.com")
    with pytest.raises(BadNotice):
        other.parse_notice(*wechat.events.notice(paid.reference, signer=wechat.keys.certificates[0].signer))


def test_an_answer_that_is_signed_by_nobody_we_know_is_not_believed(make, paid, wechat):
    wechat.keys.public, kept = wechat.keys.merchant, wechat.keys.public
    with pytest.raises(GatewayError):
        make().query(paid.reference)
    wechat.keys.public = kept
    assert make().query(paid.reference).captured_at.tzinfo == UTC


def test_row_71_neither_key_nor_buyer_stands_in_the_log_or_in_an_error(
    simulator, wechat, make, caplog, settings, fault
):
    caplog.set_level(logging.DEBUG)
    gateway = make(timeout=(2.0, 0.3))
    said = parse_qs(urlsplit(requests.get(gateway.identify_url("http://127.0.0.1:9/", "s"), allow_redirects=False).headers["Location"]).query)  # fmt: skip
    payer, errors = gateway.identify(said["code"][0]), []
    request = make_request(product="jsapi", payer=payer)
    gateway.start(request)
    simulator.bank.pay("wechat", request.reference)
    headers, body = wechat.events.notice(request.reference)
    gateway.parse_notice(headers, body)
    for kind in ("timeout", "error_after_effect"):
        fault(kind)
        with pytest.raises(GatewayError) as caught:
            gateway.query(request.reference)
        errors.append(repr(caught.value))
    with pytest.raises(GatewayError) as caught:
        replace_address(gateway).identify("code-4711")
    errors.append(repr(caught.value))
    with pytest.raises(BadNotice) as refused:
        gateway.parse_notice(headers, body[:-1])
    errors.append(repr(refused.value))
    written = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("paysim"))
    shown = str(SafeExceptionReporterFilter().get_safe_settings())
    keys = [wechat.keys.api_v3, wechat.keys.app_secret, "PRIVATE KEY-----"]
    assert not [word for word in [*keys, payer, headers["Wechatpay-Signature"]] if word in written + "".join(errors)]
    assert not [word for word in keys if word in shown]


def replace_address(gateway: WechatGateway) -> WechatGateway:
    """The same, and nobody answers who a buyer is."""
    gateway.api_url = "http://127.0.0.1:9"
    return gateway
