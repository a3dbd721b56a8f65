"""Stripe's events: whether they are Stripe's, now and for us, and which payment they are about."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence

from sishu.core import clock
from sishu.gateways.base import BadNotice
from sishu.gateways.stripe_snapshot import PAYMENT_REFERENCE, REFERENCE, Json

# Seconds by which an event's clock may differ from ours, either way.
CLOCK_WINDOW = 300
# Ours look like this; another shop on the same account may use the same name for its own.
OURS = re.compile(r"[0-9A-Za-z]{6,32}")


def verified(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, is_live: bool) -> Json:
    """The event in `body`, once its signature is right by one of our secrets. Raises BadNotice."""
    moment, signatures = _read_header(headers.get("Stripe-Signature", ""))
    expected = [_sign(secret, moment, body) for secret in secrets]
    # Stripe signs with every secret that is valid at the moment, and we may know several: any pair will do.
    if not any(hmac.compare_digest(one, given) for one in expected for given in signatures):
        raise BadNotice("The signature is not Stripe's.")
    if abs(clock.now().timestamp() - int(moment)) > CLOCK_WINDOW:
        raise BadNotice(f"The event was signed more than {CLOCK_WINDOW} seconds away from our clock.")
    try:
        event = json.loads(body)
        is_event = event["object"] == "event" and isinstance(event["id"], str) and event["data"]["object"]["object"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadNotice(f"It is signed, and no event: {type(error).__name__}.") from None
    if not is_event:
        raise BadNotice("It is signed, and no event.")
    if event.get("livemode") is not is_live:
        raise BadNotice(f"An event with livemode={event.get('livemode')} does not fit the key that is set.")
    if event.get("account"):
        raise BadNotice("The event is of another account, connected to ours.")
    return dict(event)


def payment_reference(what: Json) -> str:
    """Our reference for the payment that an event's object is about, where the object itself carries it."""
    metadata = what.get("metadata") or {}
    is_refund = what.get("object") == "refund"
    found = metadata.get(PAYMENT_REFERENCE if is_refund else REFERENCE) or what.get("client_reference_id") or ""
    return found if isinstance(found, str) and OURS.fullmatch(found) else ""


def _read_header(header: str) -> tuple[str, list[bytes]]:
    """The moment and all signatures of the one scheme that counts."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    if len(moments) != 1 or not re.fullmatch(r"[0-9]{1,12}", moments[0]):
        raise BadNotice("It carries no signature of Stripe's form.")
    return moments[0], [value.encode("ascii", "replace") for name, _, value in pairs if name == "v1"]


def _sign(secret: str, moment: str, body: bytes) -> bytes:
    message = b"%s.%s" % (moment.encode(), body)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()
