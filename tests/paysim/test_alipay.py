"""The simulator's Alipay, moved by a client that others wrote: python-alipay-sdk as it comes, both modes of keys."""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError

from paysim.bank import Status
from paysim.china import CHINA
from paysim.faults import Fault, FaultKind
from paysim.keys import private_pem, public_pem
from paysim.providers.alipay_events import SCHEDULE, understood
from paysim.providers.alipay_keys import pem_of, serial_of
from tests.simulator import running

NOTIFY, BACK = "http://127.0.0.1:9/webhooks/alipay", "http://127.0.0.1:9/back?order=1"


@pytest.fixture
def sim():
    with running() as sim:
        yield sim


@pytest.fixture
def alipay(sim):
    return sim.providers["alipay"]


@pytest.fixture
def client(alipay) -> AliPay:
    return client_of(alipay)


def client_of(alipay, **changes) -> AliPay:
    options = {
        "appid": alipay.app, "app_notify_url": NOTIFY, "app_private_key_string": private_pem(alipay.keys.merchant),
        "alipay_public_key_string": public_pem(alipay.keys.alipay),
    }  # fmt: skip
    client = AliPay(**options | changes)
    client._gateway = alipay.url
    return client


def certified(alipay) -> DCAliPay:
    keys = alipay.keys
    client = DCAliPay(
        appid=alipay.app, app_private_key_string=private_pem(keys.merchant),
        app_public_key_cert_string=pem_of(keys.merchant_certificate),
        alipay_public_key_cert_string=pem_of(keys.alipay_certificate), alipay_root_cert_string=keys.root_pem,
    )  # fmt: skip
    client._gateway = alipay.url
    return client


def begin(client: AliPay, *, amount: str = "9.90", **changes) -> tuple[str, str]:
    """A code that nobody scanned yet: our number, and what the code says."""
    reference = secrets.token_hex(12)
    said = client.api_alipay_trade_precreate("一篇，“好”文章", reference, amount, **changes)
    assert said["code"] == "10000", said
    return reference, said["qr_code"]


def scanned(client: AliPay, **changes) -> str:
    reference, code = begin(client, **changes)
    assert "一篇，“好”文章" in requests.get(code).text
    return reference


def told(alipay, reference: str, **changes: str) -> dict[str, str]:
    """The latest notice, as a framework hands it over that drops what is empty."""
    _headers, body = alipay.events.notice(reference, **changes)
    return dict(parse_qsl(body.decode(), strict_parsing=True))


def verified(client: AliPay, said: dict[str, str]) -> bool:
    rest = {key: value for key, value in said.items() if key != "sign"}
    return client.verify(rest, said["sign"])


def test_a_payment_from_its_code_to_its_notice(sim, alipay, client):
    reference, code = begin(client)
    assert client.api_alipay_trade_query(reference)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    requests.get(code)
    assert client.api_alipay_trade_query(reference)["trade_status"] == "WAIT_BUYER_PAY"
    sim.bank.pay("alipay", reference)
    asked = client.api_alipay_trade_query(reference)
    assert (asked["trade_status"], asked["total_amount"]) == ("TRADE_SUCCESS", "9.90")
    said = told(alipay, reference)
    assert verified(client, said)
    assert (said["trade_no"], said["gmt_payment"]) == (asked["trade_no"], asked["send_pay_date"])
    assert not verified(client, {**said, "total_amount": "0.01"})


@pytest.mark.parametrize("product", ["page", "wap"])
def test_a_page_leads_to_the_cashier_and_back(sim, alipay, client, product):
    reference = secrets.token_hex(12)
    ask = {"page": client.api_alipay_trade_page_pay, "wap": client.api_alipay_trade_wap_pay}[product]
    address = f"{alipay.url}?{ask('文章 & {x}', reference, '9.90', return_url=BACK)}"
    cashier = requests.get(address, allow_redirects=False).headers["Location"]
    back = requests.post(cashier, {"ending": "pay"}, allow_redirects=False).headers["Location"]
    said = dict(parse_qsl(urlsplit(back).query))
    assert (said.pop("order"), said["out_trade_no"], "trade_status" in said) == ("1", reference, False)
    assert verified(client, said)
    assert client.api_alipay_trade_query(reference)["trade_status"] == "TRADE_SUCCESS"
    assert "ACQ.TRADE_HAS_SUCCESS" in requests.get(address).text
    assert sim.bank.find("alipay", reference).notify_url == NOTIFY


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({"total_amount": "0.00"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "9.901"}, "ACQ.INVALID_PARAMETER"),
        ({"out_trade_no": "a-b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": ""}, "ACQ.INVALID_PARAMETER"),
        ({"time_expire": "2020-01-01 00:00:00", "out_trade_no": "neverheardof01"}, "ACQ.INVALID_PARAMETER"),
        ({"product_code": "FAST_INSTANT_TRADE_PAY"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "9.91"}, "ACQ.CONTEXT_INCONSISTENT"),
    ],
)
def test_wrong_terms_are_refused_with_alipays_codes(client, changes, sub_code):
    terms = {"out_trade_no": begin(client)[0], "total_amount": "9.90", "subject": "x"}
    said = client.server_api("alipay.trade.precreate", terms | changes)
    assert (said["code"], said["sub_code"]) == ("40004", sub_code)


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({"app_id": "2021"}, "isv.invalid-app-id"),
        ({"sign": "AAAA"}, "isv.invalid-signature"),
        ({"biz_content": '{"out_trade_no":"other"}'}, "isv.invalid-signature"),
        ({"timestamp": ""}, "isv.missing-timestamp"),
        ({"timestamp": "now"}, "isv.invalid-timestamp"),
        ({"sign_type": "RSA"}, "isv.invalid-sign-type"),
        ({"charset": "gbk"}, "isv.invalid-charset"),
    ],
)
def test_what_is_not_the_merchants_is_refused_without_a_signature(alipay, client, change, sub_code):
    params = dict(parse_qsl(client.client_api("alipay.trade.query", {"out_trade_no": "x"})))
    said = requests.post(alipay.url, {**params, **change}).json()
    assert said["error_response"]["sub_code"] == sub_code
    assert "sign" not in said


def test_parameters_may_stand_in_the_address_or_in_the_body(alipay, client):
    params = dict(parse_qsl(client.client_api("alipay.trade.query", {"out_trade_no": "x"})))
    body = {"biz_content": params.pop("biz_content")}
    said = requests.post(alipay.url, body, params=params).json()
    assert said["alipay_trade_query_response"]["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_what_was_paid_or_closed_is_not_begun_again(sim, client):
    paid, closed = scanned(client), scanned(client)
    sim.bank.pay("alipay", paid)
    assert client.api_alipay_trade_close(closed)["code"] == "10000"
    codes = [client.api_alipay_trade_precreate("x", one, "9.90")["sub_code"] for one in (paid, closed)]
    assert codes == ["ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE"]
    assert client.api_alipay_trade_close(paid)["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_a_code_that_nobody_scanned_cannot_be_closed_and_stays_payable(sim, client):
    reference, code = begin(client)
    assert client.api_alipay_trade_close(reference)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert requests.get(code).ok
    sim.bank.pay("alipay", reference)
    assert client.api_alipay_trade_query(reference)["trade_status"] == "TRADE_SUCCESS"


def test_its_time_ends_a_trade_and_a_code(sim, alipay, client):
    at = sim.clock.now().astimezone(CHINA) + timedelta(minutes=5)
    terms = {"time_expire": f"{at:%Y-%m-%d %H:%M:%S}"}
    late, (_reference, code) = scanned(client, **terms), begin(client, **terms)
    sim.clock.advance(301)
    assert client.api_alipay_trade_query(late)["trade_status"] == "TRADE_CLOSED"
    assert "gmt_payment" not in told(alipay, late)
    assert requests.get(code).status_code == 410


def test_refunds_are_given_once_a_number_and_never_beyond_what_was_paid(sim, alipay, client):
    reference = scanned(client)

    def refund(number: str, amount: str) -> dict:
        return client.api_alipay_trade_refund(amount, reference, out_request_no=number)

    assert refund("refund0001", "0.90")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    sim.bank.pay("alipay", reference)
    assert [refund("refund0001", "0.90")["fund_change"] for _ in range(2)] == ["Y", "N"]
    assert refund("refund0001", "0.91")["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert refund("refund0002", "9.01")["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    said = told(alipay, reference)
    assert (said["trade_status"], said["refund_fee"], said["out_biz_no"]) == ("TRADE_SUCCESS", "0.90", "refund0001")
    # The answer says the sum of all, not this one's.
    assert refund("refund0003", "9.00")["refund_fee"] == "9.90"
    assert told(alipay, reference)["trade_status"] == "TRADE_CLOSED"
    assert refund("refund0004", "0.01")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert sim.bank.books("alipay") == {"CNY": {"captured": 990, "refunded": 990, "disputed": 0}}
    asked = [client.api_alipay_trade_fastpay_refund_query(one, reference) for one in ("refund0001", "refund0009")]
    assert (asked[0]["refund_status"], asked[0]["refund_amount"]) == ("REFUND_SUCCESS", "0.90")
    assert asked[1] == {"code": "10000", "msg": "Success"}


def test_a_finished_trade_is_told_again_and_gives_nothing_back(sim, alipay, client):
    reference = scanned(client)
    sim.bank.pay("alipay", reference)
    sim.clock.advance(90 * 86400)
    alipay.events.finish(reference)
    assert told(alipay, reference)["trade_status"] == "TRADE_FINISHED"
    said = client.api_alipay_trade_refund("9.90", reference, out_request_no="r1")
    assert said["sub_code"] == "ACQ.TRADE_HAS_FINISHED"


def test_certificates_have_the_serials_that_others_compute(sim, alipay):
    client = certified(alipay)
    assert client.app_cert_sn == serial_of(alipay.keys.merchant_certificate)
    assert client.alipay_root_cert_sn == alipay.keys.root_serial
    reference = scanned(client)
    said = client.api_alipay_trade_query(reference)
    assert said["trade_status"] == "WAIT_BUYER_PAY"
    params = dict(parse_qsl(client.client_api("alipay.trade.query", {"out_trade_no": reference})))
    raw = requests.post(alipay.url, params).json()
    assert raw["alipay_cert_sn"] == serial_of(alipay.keys.alipay_certificate)
    client._app_cert_sn = "0" * 32
    with pytest.raises(AliPayException):
        client.api_alipay_trade_query(reference)


def test_a_key_that_changed_is_not_the_old_one(sim, alipay, client):
    reference = scanned(client)
    alipay.signing_key = alipay.keys.alipay_next
    with pytest.raises(AliPayValidationError):
        client.api_alipay_trade_query(reference)
    newer = client_of(alipay, alipay_public_key_string=public_pem(alipay.keys.alipay_next))
    assert newer.api_alipay_trade_query(reference)["trade_status"] == "WAIT_BUYER_PAY"


def test_answers_escape_slashes_and_are_signed_as_they_are_sent(alipay, client):
    reference, _code = begin(client)
    raw = requests.get(f"{alipay.url}?{client.client_api('alipay.trade.precreate', {'out_trade_no': reference, 'total_amount': '9.90', 'subject': 'x'})}").text  # fmt: skip
    assert rf"{alipay.url.replace('/', chr(92) + '/')[:20]}" in raw
    assert json.loads(raw)["alipay_trade_precreate_response"]["code"] == "10000"


def test_a_notice_is_sent_eight_times_within_25_hours_with_one_id(sim, alipay, client):
    reference = scanned(client)
    sim.bank.pay("alipay", reference)
    first = told(alipay, reference)
    for wait in (*SCHEDULE, 10**6):
        sim.notifier.run_due()
        sim.clock.advance(wait)
    assert sim.notifier.run_due() == 0
    assert [one.answers for one in sim.notifier.deliveries] == [[0] * 8]
    assert sum(SCHEDULE) < 25 * 3600
    again = told(alipay, reference)
    assert again["notify_id"] == first["notify_id"]
    assert again["notify_time"] > first["notify_time"]
    assert [understood(200, b"success"), understood(200, b"success\n"), understood(204, b"")] == [True, False, False]


@pytest.mark.parametrize("kind", ["error_before_effect", "error_after_effect"])
def test_errors_leave_open_what_happened(sim, client, kind):
    reference = scanned(client)
    sim.bank.pay("alipay", reference)
    sim.faults.add(Fault(FaultKind(kind), reference))
    said = client.api_alipay_trade_refund("9.90", reference, out_request_no="r1")
    assert (said["code"], said["sub_code"]) in {("20000", "isp.unknow-error"), ("40004", "ACQ.SYSTEM_ERROR")}
    assert sim.bank.books("alipay")["CNY"]["refunded"] == (990 if kind == "error_after_effect" else 0)


def test_a_refund_that_came_to_nothing_is_tried_again_under_its_number(sim, client):
    reference = scanned(client)
    sim.bank.pay("alipay", reference)
    sim.faults.add(Fault(FaultKind.REFUND_ABNORMAL, reference))
    assert client.api_alipay_trade_refund("9.90", reference, out_request_no="r1")["fund_change"] == "N"
    assert "refund_status" not in client.api_alipay_trade_fastpay_refund_query("r1", reference)
    assert client.api_alipay_trade_refund("9.90", reference, out_request_no="r1")["fund_change"] == "Y"


def test_a_bill_is_two_files_in_gbk_behind_an_address_for_half_a_minute(sim, client):
    reference = scanned(client)
    sim.bank.pay("alipay", reference)
    client.api_alipay_trade_refund("0.90", reference, out_request_no="r1")
    day = sim.clock.now().astimezone(CHINA).date()

    def ask() -> dict:
        terms = {"bill_type": "trade", "bill_date": day.isoformat()}
        return client.server_api("alipay.data.dataservice.bill.downloadurl.query", terms)

    assert ask()["sub_code"] == "isp.bill_not_exist"
    sim.clock.advance(36 * 3600)
    address = ask()["bill_download_url"]
    with zipfile.ZipFile(io.BytesIO(requests.get(address).content), metadata_encoding="gbk") as pack:
        assert pack.testzip() is None
        details, summary = pack.namelist()
        text = pack.read(details).decode("gbk")
    assert details.endswith("_业务明细.csv")
    assert summary.endswith("_业务明细(汇总).csv")
    rows = [line.split(",") for line in text.split("\r\n") if line and not line.startswith("#")]
    assert [row[2] for row in rows] == ["业务类型", "交易", "退款"]
    assert [row[11] for row in rows] == ["订单金额（元）", "9.90", "-0.90"]
    assert [row[22] for row in rows] == ["服务费（元）", "-0.06", "0.01"]
    assert rows[1][1] == f"{reference}\t"
    sim.clock.advance(31)
    assert requests.get(address).content.startswith(b"<p>")


def test_money_that_comes_twice_is_told_as_its_sum(sim, alipay, client):
    reference = scanned(client)
    sim.bank.pay("alipay", reference, times=2)
    assert sim.bank.find("alipay", reference).status == Status.PAID
    assert (
        client.api_alipay_trade_query(reference)["total_amount"] == told(alipay, reference)["total_amount"] == "19.80"
    )
