"""Alipay's keys and certificates: named when they are wrong, never shown, several at once, and good for one address only."""

from __future__ import annotations

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from alipay import AliPay, DCAliPay
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from django.views.debug import SafeExceptionReporterFilter

from paysim.keys import private_pem, public_pem
from paysim.providers.alipay_keys import pem_of
from sishu.gateways import alipay_signing as signing
from sishu.gateways.alipay import AlipayGateway
from sishu.gateways.base import BadNotice, GatewayError, Outcome
from tests.gateways.test_conformance import make_request


@pytest.mark.parametrize(("change", "says"), [
    ({"app_id": "", "seller_id": ""}, "ALIPAY_APP_ID, ALIPAY_SELLER_ID"),
    ({"private_key": "PEM"}, "ALIPAY_PRIVATE_KEY"), ({"public_key": "PEM"}, "支付宝公钥"),
    ({"public_key": ""}, "ALIPAY_PUBLIC_KEY, or the three certificates"),
    ({"app_cert": "PEM"}, "all of ALIPAY_APP_CERT, ALIPAY_ROOT_CERT, ALIPAY_CERT"),
    ({"app_cert": "PEM", "root_cert": "PEM", "alipay_cert": "PEM"}, "ALIPAY_APP_CERT holds no certificates"),
    ({"desktop_product": "app"}, "ALIPAY_DESKTOP_PRODUCT"),
])  # fmt: skip
def test_a_key_that_is_missing_or_unreadable_is_named_and_not_shown(make, change, says):
    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        make(**change)
    assert "PRIVATE KEY-----" not in str(caught.value)


def test_the_merchants_own_key_in_alipays_place_is_named(alipay, make):
    with pytest.raises(ImproperlyConfigured, match="your own"):
        make(public_key=public_pem(alipay.keys.merchant))


def test_certificates_that_do_not_fit_are_named(alipay, certified):
    keys = alipay.keys
    swapped = {
        "app_cert": ("ALIPAY_APP_CERT is not of", pem_of(keys.alipay_certificate)),
        "root_cert": ("no certificate under RSA", keys.root_pem.split("\n\n")[0]),
        "alipay_cert": ("not of an RSA key", keys.root_pem.split("\n\n")[0]),
    }
    for option, (says, pem) in swapped.items():
        with pytest.raises(ImproperlyConfigured, match=says):
            AlipayGateway(**certified | {option: pem})


def test_a_key_beside_certificates_is_refused(alipay, certified):
    """Otherwise one of the two would be believed that nobody looks at."""
    with pytest.raises(ImproperlyConfigured, match="key mode and the three certificates are for certificate mode"):
        AlipayGateway(**certified | {"public_key": public_pem(alipay.keys.alipay_next)})


def bare(pem: str) -> str:
    """As Alipay's key tool writes keys: base64 in one line."""
    return re.sub(r"-----[A-Z ]+-----|\s", "", pem)


def test_keys_may_be_what_alipays_tool_writes(alipay, make, paid):
    old = alipay.keys.merchant.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    ours = [private_pem(alipay.keys.merchant), old]
    theirs = public_pem(alipay.keys.alipay)
    for key in [*ours, *map(bare, ours), old.replace("\n", "\r\n")]:
        for public in (theirs, bare(theirs)):
            assert make(private_key=key, public_key=public).query(paid.reference).outcome == Outcome.CAPTURED


def test_certificates_are_called_what_others_call_them(alipay):
    keys = alipay.keys
    own, theirs = pem_of(keys.merchant_certificate), pem_of(keys.alipay_certificate)
    found = signing.read_certificates(own, keys.root_pem, theirs, keys.merchant)
    assert keys.root_pem.count("BEGIN CERTIFICATE") == 2  # of which the one under an elliptic curve does not count
    assert found.app_sn == DCAliPay.get_cert_sn(own)
    assert found.root_sn == DCAliPay.get_root_cert_sn(keys.root_pem)


def test_certificate_mode_carries_the_whole_of_a_payment(simulator, alipay, certified):
    gateway, request = AlipayGateway(**certified), make_request()
    url = gateway.start(request).instruction.url
    assert {"app_cert_sn", "alipay_root_cert_sn"} <= parse_qs(urlsplit(url).query).keys()
    assert requests.get(url).ok
    simulator.bank.pay("alipay", request.reference)
    told = gateway.parse_notice(*alipay.events.notice(request.reference)).snapshot
    assert told == gateway.query(request.reference)
    assert told.outcome == Outcome.CAPTURED
    with pytest.raises(GatewayError, match="app-cert-sn"):
        AlipayGateway(**certified | {"app_cert": pem_of(renewed(alipay))}).query(request.reference)


def renewed(alipay):
    """Another certificate of the merchant's key, which Alipay does not know."""
    return alipay.keys._certificate("alipay-merchant-renewed", "paysim merchant", alipay.keys.merchant)


@pytest.mark.parametrize("mode", ["keys", "certificates"])
def test_row_67_alipays_old_and_new_key_are_both_believed(alipay, make, certified, paid, fault, mode):
    keys = alipay.keys
    both, old = {
        "keys": (make(public_key=public_pem(keys.alipay) + public_pem(keys.alipay_next)), make()),
        "certificates": (
            AlipayGateway(**certified | {"alipay_cert": pem_of(keys.alipay_certificate) + pem_of(keys.alipay_next_certificate)}),
            AlipayGateway(**certified),
        ),
    }[mode]  # fmt: skip
    for key in (keys.alipay, keys.alipay_next):
        alipay.signing_key = key
        assert both.query(paid.reference).captured
        assert both.parse_notice(*alipay.events.notice(paid.reference)).snapshot.captured
    with pytest.raises(GatewayError):
        old.query(paid.reference)
    alipay.signing_key = keys.alipay
    fault("other_key")
    assert both.parse_notice(*alipay.events.notice(paid.reference)).snapshot.captured
    fault("other_key")
    with pytest.raises(BadNotice):
        old.parse_notice(*alipay.events.notice(paid.reference))


def test_signatures_are_the_same_as_others_make(alipay, gateway):
    other = AliPay(appid=alipay.app, app_private_key_string=private_pem(alipay.keys.merchant), alipay_public_key_string=public_pem(alipay.keys.merchant))  # fmt: skip
    params = gateway.client.signed("alipay.trade.query", {"subject": '{"a/b":"&=+ 😀"}'}, notify_url="http://x/?a=b")
    signature = params.pop("sign")
    assert other._sign(signing.text_to_sign(params)) == signature
    assert other._verify(signing.text_to_sign(params), signature)


def test_row_69_play_money_needs_leave_at_alipay(settings, make):
    assert make().book == "sandbox"
    assert make(url="https://openapi.alipay.com/gateway.do").book == "live"
    settings.ALLOW_SANDBOX = False
    with pytest.raises(ImproperlyConfigured, match="SISHU_ALLOW_SANDBOX=1"):
        make()


def test_an_answer_that_is_signed_by_nobody_we_know_is_not_believed(alipay, gateway, paid):
    alipay.signing_key = alipay.keys.merchant
    with pytest.raises(GatewayError, match="not believed"):
        gateway.query(paid.reference)


def test_row_71_neither_key_nor_buyer_of_alipay_stands_in_the_log_or_in_an_error(
    simulator, alipay, make, paid, caplog, settings, fault
):
    caplog.set_level(logging.DEBUG)
    gateway, errors = make(timeout=(2.0, 0.3)), []
    headers, body = alipay.events.notice(paid.reference)
    gateway.parse_notice(headers, body)
    for kind in ("timeout", "error_after_effect", "error_before_effect"):
        fault(kind)
        with pytest.raises(GatewayError) as caught:
            gateway.query(paid.reference)
        errors.append(repr(caught.value))
    with pytest.raises(BadNotice) as refused:
        gateway.parse_notice(headers, body[:-1])
    errors += [repr(refused.value), repr(gateway.client)]
    said = parse_qs(body.decode())
    written = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("paysim")) + "".join(errors)
    secret = bare(private_pem(alipay.keys.merchant))[:64]
    assert not [word for word in (secret, said["buyer_id"][0], said["sign"][0], said["trade_no"][0]) if word in written]
    assert "sign=" not in written
    assert secret not in bare(str(SafeExceptionReporterFilter().get_safe_settings()).replace("\\n", ""))
