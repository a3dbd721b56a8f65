"""Stripe's events: believed when they are signed, fresh and for us, and taken as a hint to ask."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sishu.core import clock
from sishu.gateways.base import BadNotice, GatewayError, Notice
from tests.gateways.test_conformance import make_request


def hear(gateway, provider, event) -> Notice:
    """What the gateway makes of an event that is signed well."""
    body = json.dumps(event).encode()
    return gateway.parse_notice(provider.events.signed(body), body)


def of(provider, kind: str):
    """The latest event of a kind."""
    return next(event for event in reversed(provider.events.log) if event["type"] == kind)


@pytest.mark.parametrize("seconds", [301, 3600, -301])
def test_row_14_events_of_another_time_are_refused_either_way(provider, gateway, paid, set_clock, seconds):
    headers, body = provider.events.notice(paid.reference)
    assert gateway.parse_notice(headers, body).reference == paid.reference
    set_clock(clock.now() + timedelta(seconds=seconds))
    with pytest.raises(BadNotice, match="seconds away"):
        gateway.parse_notice(headers, body)


def test_row_67_old_and_new_secret_are_both_believed_while_they_change(provider, make, paid):
    old, new = provider.events.secrets[0], "whsec_new"
    body = json.dumps(of(provider, "charge.succeeded")).encode()

    def is_believed(known: list[str], signed_by: list[str]) -> bool:
        try:
            return bool(make(webhook_secrets=known).parse_notice(provider.events.signed(body, keys=signed_by), body))
        except BadNotice:
            return False

    assert is_believed([old], [old, new])  # Stripe rolls first, and signs with both
    assert is_believed([old, new], [old])  # we set the new one first
    assert is_believed([new, old], [new])
    assert not is_believed([new], [old])


@pytest.mark.parametrize(
    "header",
    ["", "t=,v1=", "t=1", "v1=00", "t=9999999999999999,v1=00", "t=１,v1=00", "t=1,t=2,v1=00", "t=1,v0={good}", "é"],
)
def test_a_header_without_a_signature_of_the_right_kind_is_refused(provider, gateway, paid, header):
    headers, body = provider.events.notice(paid.reference)
    good = headers["Stripe-Signature"].split("v1=")[1].split(",")[0]
    with pytest.raises(BadNotice):
        gateway.parse_notice({"Stripe-Signature": header.format(good=good)}, body)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b'"event"', b'{"object": "event", "id": 1, "data": {"object": {}}}']
)
def test_what_is_signed_and_no_event_is_refused(provider, gateway, body):
    with pytest.raises(BadNotice, match="no event"):
        gateway.parse_notice(provider.events.signed(body), body)


def test_row_69_an_event_of_real_money_is_nothing_to_a_test_key_nor_the_other_way(provider, gateway, make, paid):
    event = of(provider, "checkout.session.completed")
    assert hear(gateway, provider, event).reference == paid.reference
    with pytest.raises(BadNotice, match="does not fit the key"):
        hear(gateway, provider, {**event, "livemode": True})
    live = make(secret_key="sk_live_1", url="https://api.stripe.com")
    assert hear(live, provider, {**event, "livemode": True}).reference == paid.reference
    with pytest.raises(BadNotice, match="does not fit the key"):
        hear(live, provider, event)


def test_row_09_an_event_of_a_connected_account_is_refused(simulator, provider, gateway, fault):
    request = make_request()
    gateway.start(request)
    fault("other_merchant", times=9)
    simulator.bank.pay("stripe", request.reference)
    with pytest.raises(BadNotice, match="another account"):
        gateway.parse_notice(*provider.events.notice(request.reference))


def test_every_object_of_a_payment_leads_to_its_reference(simulator, provider, gateway, paid):
    simulator.bank.refund("stripe", paid.reference, refund_reference="console1", amount=90, is_external=True)
    simulator.bank.dispute("stripe", paid.reference, fee=1500)
    session = simulator.bank.find("stripe", paid.reference).provider_reference
    told = {event["type"]: hear(gateway, provider, event) for event in provider.events.log}
    assert {notice.reference for notice in told.values()} == {paid.reference}
    assert told["charge.dispute.created"].snapshot is None
    assert [kind for kind, notice in told.items() if notice.provider_reference == session] == [
        "checkout.session.completed"
    ]
    assert len({notice.notice_id for notice in told.values()}) == len(told)


def test_a_dispute_that_cannot_be_asked_about_is_heard_the_next_time(simulator, provider, make, paid):
    simulator.bank.dispute("stripe", paid.reference)
    with pytest.raises(GatewayError):
        hear(make(url="http://127.0.0.1:9"), provider, of(provider, "charge.dispute.created"))


@pytest.mark.parametrize(
    "what",
    [
        {"object": "balance"},
        {"object": "payout", "id": "po_1", "metadata": {}},
        {"object": "charge", "id": "ch_1", "metadata": {"reference": "another shop's #1"}},
        {"object": "payment_intent", "id": "pi_1", "metadata": None},
        {"object": "checkout.session", "id": "cs_1", "client_reference_id": None, "metadata": {}},
    ],
)
def test_what_is_about_nothing_of_ours_is_heard_and_means_nothing(provider, gateway, what):
    notice = hear(gateway, provider, provider.events.event("x.y", what))
    assert (notice.reference, notice.provider_reference, notice.snapshot) == ("", "", None)
