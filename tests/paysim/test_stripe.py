"""The simulator's Stripe, moved by the client that Stripe makes: the official SDK as it comes."""

from __future__ import annotations

import json
import secrets
import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
import requests
import stripe

from paysim.faults import Fault, FaultKind
from paysim.http import Answer, Asked, Server
from paysim.providers.stripe_events import RETRY_AFTER
from paysim.simulator import Simulator
from tests.simulator import running

BACK = "http://127.0.0.1:9/back"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with running() as sim:
        yield sim


@pytest.fixture
def provider(sim):
    return sim.providers["stripe"]


@pytest.fixture
def client(sim, provider) -> stripe.StripeClient:
    return client_of(sim, provider.key)


def client_of(sim: Simulator, key: str, **options) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": sim.base_url + "/stripe"}, max_network_retries=0, **options)


def asked_for(reference: str, *, amount: int = 990, currency: str = "cny", **more) -> dict:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "《一篇》 & {x}"}}
    return {
        "mode": "payment", "line_items": [{"price_data": price, "quantity": 1}], "client_reference_id": reference,
        "metadata": {"reference": reference}, "payment_intent_data": {"metadata": {"reference": reference}},
        "success_url": BACK, **more,
    }  # fmt: skip


def begin(client: stripe.StripeClient, **more) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(asked_for(secrets.token_hex(12), **more))


def paid(sim: Simulator, client: stripe.StripeClient, **more) -> stripe.checkout.Session:
    session = begin(client, **more)
    sim.bank.pay("stripe", session.client_reference_id)
    return client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge.refunds"]})


def kinds(provider, reference: str) -> list[str]:
    return [event["type"] for event in provider.events.about(reference)]


def test_a_payment_from_its_page_to_its_events(sim, provider, client):
    session = begin(client)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    page = requests.get(session.url, timeout=5)
    assert "《一篇》 &amp; {x}" in page.text
    assert requests.post(session.url, {"ending": "pay"}, allow_redirects=False, timeout=5).headers["Location"] == BACK
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge.refunds"]})
    assert (after.status, after.payment_status, after.url) == ("complete", "paid", None)
    intent = after.payment_intent
    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 990, "cny")
    assert intent.latest_charge.metadata["reference"] == session.client_reference_id
    assert intent.latest_charge.refunds.data == []
    assert kinds(provider, session.client_reference_id) == [
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"
    ]  # fmt: skip


def test_its_events_are_believed_by_the_sdk_and_changed_ones_are_not(sim, provider, client):
    session = paid(sim, client)
    headers, body = provider.events.notice(session.client_reference_id)
    (secret,) = provider.events.secrets
    event = client.construct_event(body, headers["Stripe-Signature"], secret)
    assert event.data.object.id == session.id
    for other, key in ((body + b" ", secret), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(other, headers["Stripe-Signature"], key)
    sim.faults.add(Fault(FaultKind.OLD_TIMESTAMP, value=301))
    headers, body = provider.events.notice(session.client_reference_id)
    with pytest.raises(stripe.SignatureVerificationError, match="Timestamp"):
        client.construct_event(body, headers["Stripe-Signature"], secret)


def test_a_key_repeats_its_answer_and_refuses_another_request(client):
    asked = asked_for("once0001")
    first, again = (client.v1.checkout.sessions.create(asked, {"idempotency_key": "k1"}) for _ in range(2))
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(asked_for("once0001", amount=1), {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"charge": "ch_1"}, {"idempotency_key": "k1"})
    assert client.v1.checkout.sessions.create(asked, {"idempotency_key": "k2"}).id != first.id


def test_a_key_lives_a_day(sim, client):
    asked = asked_for("once0002")
    first = client.v1.checkout.sessions.create(asked, {"idempotency_key": "k1"})
    sim.clock.advance(24 * 3600 + 1)
    assert client.v1.checkout.sessions.create(asked, {"idempotency_key": "k1"}).id != first.id


def test_an_error_after_the_effect_is_what_the_key_repeats(sim, client):
    sim.faults.add(Fault(FaultKind.ERROR_AFTER_EFFECT))
    for _ in range(2):
        with pytest.raises(stripe.APIError) as said:
            client.v1.checkout.sessions.create(asked_for("lost0001"), {"idempotency_key": "k1"})
        assert said.value.http_status == 500
    assert [one.client_reference_id for one in client.v1.checkout.sessions.list().data] == ["lost0001"]
    sim.faults.add(Fault(FaultKind.ERROR_BEFORE_EFFECT))
    with pytest.raises(stripe.APIError):
        client.v1.checkout.sessions.create(asked_for("lost0002"), {"idempotency_key": "k2"})
    assert client.v1.checkout.sessions.create(asked_for("lost0002"), {"idempotency_key": "k2"}).status == "open"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"mode": None}, "parameter_missing", "mode"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"color": "red"}, "parameter_unknown", "color"),
        ({"amount": "9.90"}, "parameter_invalid_integer", "unit_amount"),
        ({"expires_at": 1}, None, "expires_at"),
        ({"expires_at": 9999999999}, None, "expires_at"),
    ],
)
def test_wrong_parameters_are_named(client, changes, code, param):
    with pytest.raises(stripe.InvalidRequestError) as said:
        begin(client, **changes)
    assert (said.value.http_status, said.value.code, said.value.param) == (400, code, param)


def test_without_its_key_it_says_nothing(sim, client):
    with pytest.raises(stripe.AuthenticationError, match=r"sk_test_\*+1234"):
        begin(client_of(sim, "sk_test_wrong1234"))
    assert requests.get(sim.base_url + "/stripe/v1/refunds", timeout=5).status_code == 401
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.checkout.sessions.retrieve("cs_test_none")
    assert (said.value.http_status, said.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.customers.list()


def test_a_declined_card_leaves_the_session_open(sim, provider, client):
    session = begin(client)
    provider.decline(session.client_reference_id)
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (after.status, after.payment_intent.status) == ("open", "requires_payment_method")
    assert after.payment_intent.latest_charge.status == "failed"
    assert kinds(provider, session.client_reference_id) == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(("ending", "status"), [("pay", "succeeded"), ("fail", "requires_payment_method")])
def test_money_that_comes_later_is_complete_before_it_is_paid(sim, provider, client, ending, status):
    session = begin(client)
    provider.submit(session.client_reference_id)
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (after.status, after.payment_status, after.payment_intent.status) == ("complete", "unpaid", "processing")
    getattr(sim.bank, ending)("stripe", session.client_reference_id)
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (after.payment_status == "paid", after.payment_intent.status) == (ending == "pay", status)
    last = "async_payment_succeeded" if ending == "pay" else "async_payment_failed"
    assert kinds(provider, session.client_reference_id)[-1] == f"checkout.session.{last}"


def test_a_session_is_expired_by_hand_or_by_its_end_and_never_when_it_is_paid(sim, provider, client):
    by_hand, by_itself, done = begin(client), begin(client), paid(sim, client)
    assert client.v1.checkout.sessions.expire(by_hand.id).status == "expired"
    for session in (by_hand, done):
        with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
            client.v1.checkout.sessions.expire(session.id)
    sim.clock.advance(24 * 3600)
    assert client.v1.checkout.sessions.retrieve(by_itself.id).status == "expired"
    assert kinds(provider, by_itself.client_reference_id) == ["checkout.session.expired"]


def test_refunds_stop_at_what_was_captured_and_are_one_a_key(sim, provider, client):
    intent = paid(sim, client).payment_intent
    asked = {"payment_intent": intent.id, "amount": 400, "metadata": {"reference": "r1"}}
    first, again = (client.v1.refunds.create(asked, {"idempotency_key": "r1"}) for _ in range(2))
    assert (first.id, first.status, first.metadata["reference"]) == (again.id, "succeeded", "r1")
    assert client.v1.refunds.create(asked, {"idempotency_key": "r2"}).id != first.id
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as said:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 191})
    assert said.value.param == "amount"
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 190
    with pytest.raises(stripe.InvalidRequestError) as said:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert said.value.code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 990)
    assert [one.amount for one in charge.refunds.data] == [190, 400, 400]


@pytest.mark.parametrize(
    ("kind", "reason"), [(FaultKind.REFUND_PENDING, "processing"), (FaultKind.BALANCE_TOO_LOW, "insufficient_funds")]
)
def test_a_refund_on_its_way_arrives_or_comes_to_nothing(sim, provider, client, kind, reason):
    session = paid(sim, client)
    reference, intent = session.client_reference_id, session.payment_intent
    sim.faults.add(Fault(kind))
    asked = {"payment_intent": intent.id, "metadata": {"reference": "r1"}}
    slow = client.v1.refunds.create(asked)
    assert (slow.status, slow.pending_reason) == ("pending", reason)
    sim.bank.settle_refund("stripe", reference, "r1", ok=False)
    failed = client.v1.refunds.retrieve(slow.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_balance_transaction.amount) == ("failed", 990)
    assert kinds(provider, reference)[-4:] == ["refund.created", "charge.refunded", "refund.updated", "refund.failed"]
    assert client.v1.charges.retrieve(intent.latest_charge.id).amount_refunded == 0


def test_a_dispute_takes_the_money_and_a_fee_and_gives_it_back_when_won(sim, provider, client):
    session = paid(sim, client)
    sim.bank.dispute("stripe", session.client_reference_id, fee=1500)
    (opened,) = client.v1.disputes.list({"payment_intent": session.payment_intent.id}).data
    assert (opened.status, opened.amount) == ("needs_response", 990)
    assert [(row.amount, row.fee, row.net) for row in opened.balance_transactions] == [(-990, 1500, -2490)]
    sim.bank.decide_dispute("stripe", session.client_reference_id, won=True)
    won = client.v1.disputes.retrieve(opened.id)
    assert (won.status, [row.net for row in won.balance_transactions]) == ("won", [-2490, 990])


def test_lists_come_in_pages_newest_first(sim, client):
    begun = [begin(client).id for _ in range(5)]
    first = client.v1.checkout.sessions.list({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (begun[:2:-1], True)
    assert [one.id for one in first.auto_paging_iter()] == begun[::-1]
    before = client.v1.checkout.sessions.list({"limit": 2, "ending_before": begun[0]})
    assert [one.id for one in before.data] == [begun[2], begun[1]]
    assert client.v1.checkout.sessions.list({"created": {"gt": first.data[0].created}}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.list({"limit": 101})


def test_the_balance_has_a_row_for_each_movement(sim, provider, client):
    session = paid(sim, client)
    client.v1.refunds.create({"payment_intent": session.payment_intent.id, "amount": 90})
    provider.balance.add("payout", -500, "CNY", source="po_1")
    rows = client.v1.balance_transactions.list({"expand": ["data.source"]}).data
    assert [(row.type, row.amount, row.fee, row.net) for row in rows] == [
        ("payout", -500, 0, -500), ("refund", -90, 0, -90), ("charge", 990, 58, 932),
    ]  # fmt: skip
    assert [getattr(row.source, "object", row.source) for row in rows] == ["po_1", "refund", "charge"]


def test_an_event_is_sent_for_three_days_until_it_is_understood(sim, provider, client):
    answers, heard = [500] * (1 + len(RETRY_AFTER)), []

    def site(asked: Asked) -> Answer:
        heard.append((asked.path, json.loads(asked.body)["type"]))
        return Answer(answers.pop() if answers else 200)

    server = Server(site)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    session = begin(client, success_url=server.url + "/back")
    client.v1.checkout.sessions.expire(session.id)
    sim.notifier.run_due()
    for wait in RETRY_AFTER:
        sim.clock.advance(wait + 1)
        sim.notifier.run_due()
    assert heard == [("/webhooks/stripe", "checkout.session.expired")] * (1 + len(RETRY_AFTER))
    assert timedelta(days=2, hours=12) < timedelta(seconds=sum(RETRY_AFTER)) <= timedelta(days=3)
    sim.clock.advance(30 * 24 * 3600)
    assert sim.notifier.run_due() == 0
    server.shutdown()
    server.server_close()


SHAPES = [
    (stripe.checkout.Session, "checkout.session"), (stripe.PaymentIntent, "payment_intent"),
    (stripe.Charge, "charge"), (stripe.Refund, "refund"), (stripe.Dispute, "dispute"),
    (stripe.BalanceTransaction, "balance_transaction"), (stripe.Event, "event"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "name"), SHAPES, ids=[name for _typed, name in SHAPES])
def test_its_objects_have_the_fields_that_the_sdk_types(sim, provider, client, typed, name):
    session = paid(sim, client)
    client.v1.refunds.create({"payment_intent": session.payment_intent.id, "amount": 90})
    sim.bank.dispute("stripe", session.client_reference_id)
    sent = [event["data"]["object"] for event in provider.events.log]
    sent += [*provider.events.log, *provider.balance.rows()]
    shown = [one for one in sent if one["object"] == name]
    assert shown
    fields = {field: kind for field, kind in typed.__annotations__.items() if field != "OBJECT_NAME"}
    for one in shown:
        assert set(one) <= {*fields, "object"}
        needed = {field for field, kind in fields.items() if not _may_be_none(kind)}
        assert {field for field in needed if one.get(field) is None} == set()


def _may_be_none(kind: object) -> bool:
    return isinstance(kind, str) or types.NoneType in typing.get_args(kind)


def test_the_second_terminal_pays_and_is_told_so(sim, client):
    """What the protocol remembers of a charge is no JSON by itself."""
    said = {"provider": "stripe", "reference": begin(client).client_reference_id}
    answer = requests.post(f"{sim.base_url}/control/pay", json=said, timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (200, "paid")
    assert requests.get(f"{sim.base_url}/control/state", timeout=5).status_code == 200
