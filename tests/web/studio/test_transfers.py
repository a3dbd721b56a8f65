"""Bank transfers in the back office: found by their code, recorded once, and sent back by hand."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime

from sishu.accounts.models import User
from sishu.commerce import orders, payments
from sishu.commerce.models import BankEntry, Order, Payment, Refund
from sishu.core import clock
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer, start
from tests.factories.gateways import OFFLINE, use

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def finance(client: Client) -> User:
    finance = make_user("cashier", "finance", display_name="Cashier", language="en")
    client.force_login(finance)
    return finance


@pytest.fixture
def payment(finance: User, settings) -> Payment:
    elsewhere = start(make_user("bea"), make_offer())
    assert elsewhere.gateway == "sandbox"
    use(settings, offline=OFFLINE, sandbox=("sishu.gateways.sandbox.SandboxGateway", {}))
    order = orders.place(make_user("ann", display_name="Ann"), make_offer().pk, language="en")
    payment, _started = payments.start(order.pk, "offline", notify_url="http://x/", return_url="http://x/")
    return payment


def record(client: Client, payment: Payment, **said: str):
    values = {"amount": "9.90", "booked_on": f"{localdate(clock.now()):%Y-%m-%d}", "bank_reference": "B-1"} | said
    return client.post(reverse("payments:record", args=[payment.pk]), values, follow=True)


@pytest.mark.parametrize("write", [str, str.lower, lambda code: f"{code[:4]} {code[4:]}", lambda code: f"{code}  "])
def test_a_payment_is_found_by_its_code_however_the_bank_writes_it(client, payment, write):
    page = client.get(reverse("payments:index"), {"q": write(payment.provider_reference)}).content.decode()
    assert payment.reference in page
    assert Payment.objects.get(gateway="sandbox").reference not in page


def test_the_list_is_still_searched_by_everything_else(client, payment):
    other = Payment.objects.get(gateway="sandbox")
    for query in (payment.order.number, "ann", payment.reference[:12]):
        page = client.get(reverse("payments:index"), {"q": query}).content.decode()
        assert (payment.reference in page, other.reference in page) == (True, False), query


def test_ways_to_pay_have_names_in_the_back_office(client, payment):
    assert "Bank transfer" in client.get(reverse("payments:index")).content.decode()
    page = client.get(reverse("orders:inspect", args=[payment.order_id])).content.decode()
    assert f"Bank transfer {payment.reference}" in page
    assert "<td>offline</td>" not in page


def test_a_transfer_is_recorded_and_the_order_is_paid(client, payment):
    question = client.get(reverse("payments:record", args=[payment.pk])).content.decode()
    assert payment.provider_reference in question
    assert "¥9.90" in question
    assert date_format(localtime(payment.expires_at), "DATETIME_FORMAT") in question
    answer = record(client, payment).content.decode()
    assert "is paid, and Ann has what was bought." in answer
    assert Order.objects.get(pk=payment.order_id).status == Order.Status.PAID
    page = client.get(reverse("payments:inspect", args=[payment.pk])).content.decode()
    assert "B-1" in page
    assert "Cashier" in page


def test_the_same_line_twice_is_refused_and_said_so(client, payment):
    record(client, payment)
    answer = record(client, payment).content.decode()
    assert "The bank’s reference B-1 was recorded before, with ¥9.90" in answer
    assert BankEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "words"), [("9.8", "It buys nothing and is set apart"), ("10.00", "what is too much is set apart")]
)
def test_what_became_of_another_amount_is_said(client, payment, amount, words):
    assert words in record(client, payment, amount=amount).content.decode()


@pytest.mark.parametrize(
    "said",
    [{"amount": ""}, {"amount": "0"}, {"amount": "-9.90"}, {"amount": "9.901"}, {"amount": "abc"}, {"amount": "9" * 24},
     {"booked_on": ""}, {"booked_on": "yesterday"}, {"bank_reference": ""}, {"bank_reference": "x" * 65},
     {"bank_reference": "\0"}],
)  # fmt: skip
def test_what_cannot_be_a_transfer_is_asked_again(client, payment, said):
    answer = record(client, payment, **said)
    assert answer.status_code == 200
    assert "error" in answer.content.decode()
    assert not BankEntry.objects.exists()


def test_money_by_a_provider_is_not_recorded_by_hand(client, payment):
    other = Payment.objects.get(gateway="sandbox")
    assert "Record a transfer" not in client.get(reverse("payments:inspect", args=[other.pk])).content.decode()
    answer = record(client, other).content.decode()
    assert "Only bank transfers are recorded." in answer
    assert not BankEntry.objects.exists()


def test_a_refund_is_sent_by_hand_and_said_to_be(client, payment):
    record(client, payment)
    line = payment.order.lines.get()
    said = {"reason": "asked", f"line_{line.pk}": "9.90", "form_key": "f1", "closes_access": "on"}
    answer = client.post(reverse("orders:refund", args=[payment.order_id]), said, follow=True)
    assert "Now transfer the money back" in answer.content.decode()
    refund = Refund.objects.get()
    assert refund.status == Refund.Status.PROCESSING
    url = reverse("refunds:sent", args=[refund.pk])
    assert url in client.get(reverse("refunds:inspect", args=[refund.pk])).content.decode()
    assert "B-1" in client.get(url).content.decode(), "where the money came from"
    said = {"booked_on": f"{localdate(clock.now()):%Y-%m-%d}", "bank_reference": "B-2"}
    assert "¥9.90 went back." in client.post(url, said, follow=True).content.decode()
    refund.refresh_from_db()
    assert refund.status == Refund.Status.SUCCEEDED
    page = client.get(reverse("refunds:inspect", args=[refund.pk])).content.decode()
    assert "B-2" in page
    assert url not in page


def test_who_may_not_record_sees_no_button_and_is_refused(client, payment):
    client.force_login(make_user("support", "support"))
    assert record(client, payment).redirect_chain[0][0] == reverse("wagtailadmin_home")
    assert not BankEntry.objects.exists()
