"""The simulator's WeChat Pay, moved by a client that others wrote: wechatpayv3 as it comes, both ways of keys."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta
from gzip import decompress

import pytest
import requests
from wechatpayv3 import WeChatPay, WeChatPayType

from paysim.bank import Status
from paysim.china import CHINA
from paysim.faults import Fault, FaultKind
from paysim.keys import private_pem, public_pem
from tests.simulator import running

NOTIFY = "http://127.0.0.1:9/webhooks/wechat"


@pytest.fixture
def sim():
    with running() as sim:
        yield sim


@pytest.fixture
def wechat(sim):
    return sim.providers["wechat"]


def client_of(sim, *, certificates: str = "", **changes) -> WeChatPay:
    """The client with the public key, or with the certificates in a folder."""
    provider = sim.providers["wechat"]
    keys = provider.keys
    by_key = {"public_key": public_pem(keys.public), "public_key_id": keys.public_id}
    options = {
        "wechatpay_type": WeChatPayType.NATIVE, "mchid": provider.merchant, "private_key": private_pem(keys.merchant),
        "cert_serial_no": keys.merchant_serial, "appid": provider.app, "apiv3_key": keys.api_v3, "notify_url": NOTIFY,
        "timeout": (2, 2), **({"cert_dir": certificates} if certificates else by_key),
    }  # fmt: skip
    client = WeChatPay(**options | changes)
    client._core._gate_way = provider.url
    return client


@pytest.fixture
def client(sim) -> WeChatPay:
    return client_of(sim)


def begin(client: WeChatPay, *, total: int = 990, **changes) -> str:
    reference = secrets.token_hex(12)
    status, body = client.pay("一篇，“好”文章", reference, {"total": total, "currency": "CNY"}, **changes)
    assert status == 200, body
    return reference


def asked(client: WeChatPay, reference: str) -> dict:
    status, body = client.query(out_trade_no=reference)
    assert status == 200
    return json.loads(body)


def test_a_payment_from_its_code_to_its_notice(sim, wechat, client):
    reference = begin(client)
    assert asked(client, reference)["trade_state"] == "NOTPAY"
    sim.bank.pay("wechat", reference)
    said = asked(client, reference)
    assert (said["trade_state"], said["amount"]["total"]) == ("SUCCESS", 990)
    headers, body = wechat.events.notice(reference)
    told = client.callback(headers, body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"] == said
    assert client.callback(headers, body.replace(b"TRANSACTION", b"TRANSACTIOM")) is None


@pytest.mark.parametrize(
    ("kind", "changes", "holds"),
    [
        (WeChatPayType.NATIVE, {}, "code_url"),
        (
            WeChatPayType.H5,
            {"scene_info": {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}},
            "h5_url",
        ),
    ],
)
def test_products_answer_their_own_way_to_pay(client, kind, changes, holds):
    terms = {"description": "x", "out_trade_no": secrets.token_hex(12), "amount": {"total": 1}}
    first, again = (client.pay(**terms, pay_type=kind, **changes) for _ in range(2))
    assert list(json.loads(first[1])) == [holds]
    assert first == again


def test_jsapi_wants_a_buyer_that_wechat_knows(wechat, client):
    reference = secrets.token_hex(12)
    terms = {"description": "x", "out_trade_no": reference, "amount": {"total": 1}, "pay_type": WeChatPayType.JSAPI}
    assert client.pay(**terms, payer={"openid": "nobody"})[0] == 400
    status, body = client.pay(**terms, payer={"openid": wechat.pages.somebody()})
    assert status == 200
    assert json.loads(body)["prepay_id"].startswith("wx")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": {"total": 0}}, 400, "PARAM_ERROR"),
        ({"amount": {"total": 9.9}}, 400, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, 400, "PARAM_ERROR"),
        ({"mchid": "1900000000"}, 400, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00", "out_trade_no": "neverheardof0002"}, 400, "PARAM_ERROR"),
        ({"amount": {"total": 991}}, 403, "OUT_TRADE_NO_USED"),
    ],
)
def test_wrong_terms_are_refused_with_wechats_codes(client, changes, status, code):
    terms = {"description": "x", "out_trade_no": begin(client), "amount": {"total": 990}}
    answer = client.pay(**terms | changes)
    assert (answer[0], json.loads(answer[1])["code"]) == (status, code)


def test_a_wrong_signature_is_401_and_an_unknown_number_404(sim, client):
    stranger = client_of(sim, cert_serial_no="AB" * 20)
    assert (stranger.query(out_trade_no="neverheard0001")[0], client.query(out_trade_no="neverheard0001")[0]) == (
        401,
        404,
    )
    assert requests.get(f"{sim.base_url}/wechat/v3/certificates").json()["code"] == "SIGN_ERROR"


def test_what_was_paid_or_closed_is_not_begun_again(sim, client):
    paid, closed = begin(client), begin(client)
    sim.bank.pay("wechat", paid)
    assert client.close(closed)[0] == 204
    codes = [json.loads(client.pay("x", one, {"total": 990})[1])["code"] for one in (paid, closed)]
    assert codes == ["ORDERPAID", "ORDER_CLOSED"]
    assert json.loads(client.close(paid)[1])["code"] == "ORDERPAID"
    assert client.close("neverheardof0001")[0] == 204


def test_refunds_are_given_once_a_number_and_never_beyond_what_was_paid(sim, wechat, client):
    reference = begin(client)
    sim.bank.pay("wechat", reference)

    def refund(number: str, amount: int) -> tuple[int, dict]:
        terms = {"refund": amount, "total": 990, "currency": "CNY"}
        status, body = client.refund(number, terms, out_trade_no=reference)
        return status, json.loads(body)

    assert [refund("refund0001", 90)[1].get("status") for _ in range(2)] == ["SUCCESS", "SUCCESS"]
    assert refund("refund0001", 91)[0] == 400
    assert refund("refund0002", 901)[1]["code"] == "INVALID_REQUEST"
    assert sim.bank.books("wechat") == {"CNY": {"captured": 990, "refunded": 90, "disputed": 0}}
    assert asked(client, reference)["trade_state"] == "REFUND"
    told = client.callback(*wechat.events.notice(reference))
    assert (told["event_type"], told["resource"]["refund_status"]) == ("REFUND.SUCCESS", "SUCCESS")
    assert client.query_refund("refund0009")[0] == 404


def test_a_closed_refund_stays_closed_under_its_number_and_goes_under_another(sim, wechat, client):
    reference = begin(client)
    sim.bank.pay("wechat", reference)
    sim.faults.add(Fault(FaultKind.REFUND_CLOSED, reference))

    def refund(number: str) -> str:
        terms = {"refund": 990, "total": 990, "currency": "CNY"}
        return json.loads(client.refund(number, terms, out_trade_no=reference)[1])["status"]

    assert [refund("refund0001") for _ in range(2)] == ["PROCESSING", "CLOSED"]
    told = client.callback(*wechat.events.notice(reference))
    assert (told["event_type"], told["resource"]["refund_status"]) == ("REFUND.CLOSED", "CLOSED")
    assert refund("refund0002") == "SUCCESS"
    assert sim.bank.books("wechat")["CNY"]["refunded"] == 990


def test_certificates_alone_will_do(sim, wechat, tmp_path):
    wechat.notice_key = "certificate"
    certificate = wechat.keys.certificates[0]
    (tmp_path / f"{certificate.serial}.pem").write_text(certificate.pem)
    client = client_of(sim, certificates=str(tmp_path))
    reference = begin(client)
    sim.bank.pay("wechat", reference)
    assert client.callback(*wechat.events.notice(reference))["resource"]["out_trade_no"] == reference
    newer = wechat.keys.renew_certificate()
    # The client asks for what it does not know: /v3/certificates answers in a form that it can open.
    assert client.callback(*wechat.events.notice(reference, signer=newer.signer)) is not None
    assert wechat.calls[-1] == "GET /v3/certificates"


def test_the_bill_is_what_it_says_it_is(sim, client):
    reference = begin(client)
    sim.bank.pay("wechat", reference)
    day = sim.clock.now().astimezone(CHINA).date()
    assert json.loads(client.trade_bill(str(day))[1])["code"] == "INVALID_REQUEST"
    sim.clock.advance(48 * 3600)
    said = json.loads(client.trade_bill(str(day))[1])
    raw = decompress(client.download_bill(said["download_url"])[1])
    assert hashlib.sha1(raw, usedforsecurity=False).hexdigest() == said["hash_value"]
    lines = raw.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert f",`{reference},`" in lines[1]
    assert lines[3] == "`1,`9.90,`0.00,`0.00,`0.06000,`9.90,`0.00"
    sim.clock.advance(360)
    assert client.download_bill(said["download_url"])[0] == 400
    assert json.loads(client.trade_bill(str(day - timedelta(days=9)))[1])["code"] == "NO_STATEMENT_EXIST"


def test_money_moves_although_the_answer_is_lost(sim, client):
    reference = secrets.token_hex(12)
    sim.faults.add(Fault(FaultKind.ERROR_BEFORE_EFFECT, reference))
    assert client.pay("x", reference, {"total": 1})[0] == 500
    assert sim.bank.find("wechat", reference) is None
    sim.faults.add(Fault(FaultKind.ERROR_AFTER_EFFECT, reference))
    assert client.pay("x", reference, {"total": 1})[0] == 500
    assert sim.bank.find("wechat", reference).status == Status.WAITING
