"""How a provider's own page tells us who pays: sent there with a signed state, back with a code, known for one order."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import merchants
from sishu.commerce.models import Order
from sishu.core import addresses
from sishu.core.errors import Invalid
from sishu.gateways.base import Device, KnowsPayers

SALT = "sishu.web.payers"
SESSION_KEY = "payer"
STATE_LIFETIME = timedelta(minutes=10)


def where_to_identify(request: HttpRequest, order: Order, gateway_name: str, device: Device) -> str | None:
    """Where the buyer must be recognised before the gateway can begin; None if it knows them, or need not.

    Only inside WeChat does a product ask for a payer: everywhere else the provider's own page does.
    """
    gateway = merchants.gateway(gateway_name)
    if device != Device.WEIXIN or not isinstance(gateway, KnowsPayers) or remembered(request, order, gateway_name):
        return None
    back = addresses.absolute(reverse("payment_pay", args=[order.number]))
    return gateway.identify_url(back, state_for(order.user, order, gateway_name))


def state_for(user: User, order: Order, gateway_name: str) -> str:
    """Says that this person was sent for this order; letters and digits only, at most 128: more, WeChat does not carry."""
    signed = _signer(user, order).sign(gateway_name)
    return base64.b32encode(signed.encode()).decode().rstrip("=")


def read_state(state: str, user: User, order: Order) -> str:
    """The gateway's name. Invalid for a state that is old, forged, another person's or another order's."""
    try:
        signed = base64.b32decode(state + "=" * (-len(state) % 8)).decode()
        return _signer(user, order).unsign(signed, max_age=STATE_LIFETIME)
    except (binascii.Error, ValueError, signing.BadSignature) as error:
        raise Invalid(
            _("This way back from the payment provider is not valid any more. Please start again.")
        ) from error


def remember(request: HttpRequest, order: Order, gateway_name: str, payer: str) -> None:
    """Keep who pays, sealed, in this session and for this order."""
    sealed = _seal(order).encrypt(payer.encode()).decode()
    request.session[SESSION_KEY] = {"order": order.number, "gateway": gateway_name, "payer": sealed}


def remembered(request: HttpRequest, order: Order, gateway_name: str) -> str:
    """Who pays this order through this gateway, or nothing."""
    kept = request.session.get(SESSION_KEY) or {}
    if (kept.get("order"), kept.get("gateway")) != (order.number, gateway_name):
        return ""
    try:
        return _seal(order).decrypt(kept["payer"].encode()).decode()
    except InvalidToken:  # the house's key changed
        return ""


def forget(request: HttpRequest) -> None:
    """The order has ended: nothing of its payer is kept."""
    request.session.pop(SESSION_KEY, None)


def _signer(user: User, order: Order) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"{SALT}:{user.pk}:{order.number}")


def _seal(order: Order) -> Fernet:
    key = salted_hmac(SALT, order.number, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
