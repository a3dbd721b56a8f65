"""The house's accounts at payment providers: each gateway, made with its settings and with the keys kept in the studio.

What the environment sets counts: whoever can set it runs the machine, and a page must not undo what they fixed there. A kept
key fills what the environment leaves open. Addresses of providers come from the environment alone.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sishu.commerce.models import MerchantKeys, MerchantKeysChange
from sishu.core import clock, crypto, plugins
from sishu.gateways.base import GatewayError, PaymentGateway, PlayMoneyRefused

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

log = logging.getLogger(__name__)

KIND = "gateways"
# Seconds after which a process looks again whether keys were changed in another one.
LOOK_AFTER = 3.0
# Who could enter an address of a provider could have buyers pay somebody else.
ADDRESS = re.compile(r"(.*_)?url")


# Numbers and names that stand on a provider's own pages; everything else is a secret.
PUBLIC = re.compile(r"(.*_)?(id|serial|product|currency|region)")


class Unusable(GatewayError):
    """A gateway that cannot be made now: its keys are not there, or cannot be read. Asked again later, like a silent one."""


@dataclass(slots=True)
class _Remembered:
    """What this process knows: the stamps of kept keys, when it looked, and the gateways it made with which stamp.

    Why one could not be made is kept as a sentence still to be translated: who asks next may read another language.
    """

    stamps: dict[str, str] = field(default_factory=dict)
    looked_at: float | None = None
    made: dict[str, tuple[str, PaymentGateway]] = field(default_factory=dict)
    failed: dict[str, tuple[str, _StrOrPromise]] = field(default_factory=dict)


_remembered = _Remembered()


def names() -> list[str]:
    """The gateways of GATEWAYS, in its order, whether they can be used now or not."""
    return plugins.names(KIND)


def usable() -> list[str]:
    """Those of GATEWAYS that can be used now, in its order: what buyers are offered."""
    return [name for name in names() if not problem(name)]


def problem(name: str) -> str:
    """Why a gateway cannot be used now, in a sentence of its own; empty when it can."""
    try:
        gateway(name)
    except Unusable as error:
        return str(error)
    return ""


def gateway(name: str) -> PaymentGateway:
    """The gateway of that name. Changed keys count within seconds, in every process. Raises Unusable."""
    stamp = _stamps().get(name, "")
    known = _remembered.made.get(name)
    if known is not None and known[0] == stamp:
        return known[1]
    failed = _remembered.failed.get(name)
    if failed is not None and failed[0] == stamp:
        raise Unusable(failed[1])
    try:
        made = make(name, kept(name) if stamp else {})
    except Unusable as error:
        _remembered.failed[name] = (stamp, _sentence(error))
        raise
    _remembered.made[name] = (stamp, made)
    return made


def make(name: str, keys: Mapping[str, str]) -> PaymentGateway:
    """The gateway of that name with these keys in what its settings leave open. Raises Unusable."""
    try:
        made: PaymentGateway = _construct(name, keys)
    except Exception as error:  # a plug-in of any maker; why is the operator's to read
        said = _sentence(error) if isinstance(error, ImproperlyConfigured) else f"{type(error).__name__}: {error}"
        raise Unusable(said) from error
    return made


def _sentence(error: Exception) -> _StrOrPromise:
    """What a failure says: untranslated where it is translated lazily, and without the failure itself, which holds keys."""
    is_lazy = bool(error.args) and isinstance(error.args[0], Promise)
    sentence: _StrOrPromise = error.args[0] if is_lazy else str(error)
    return sentence


def forget() -> None:
    """Let this process look anew with the next call."""
    _remembered.looked_at = None
    _remembered.failed.clear()


# --- Keys -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument a gateway is made with. What the settings fix (`is_fixed`) no page changes; `value` is theirs.

    One of a gateway's FIXED_TOGETHER that the settings give a value fixes the others, which may be empty.
    """

    name: str
    takes_several: bool
    is_fixed: bool
    value: Any = field(default="", repr=False)

    @property
    def is_secret(self) -> bool:
        """Whether no part of it is ever shown: all but numbers that the provider prints on its own pages."""
        return not PUBLIC.fullmatch(self.name)


def slots(name: str) -> list[Slot]:
    """What a gateway's texts and lists of texts are, in its settings' order, without addresses."""
    made_by, options = plugins.find_class(KIND, name)
    fixed = _fixed(made_by, options)
    return [
        Slot(argument, not isinstance(value, str), argument in fixed, value)
        for argument, value in options.items()
        if isinstance(value, (str, list, tuple)) and not ADDRESS.fullmatch(argument)
    ]


def _fixed(made_by: Any, options: Mapping[str, Any]) -> set[str]:
    """The arguments that no page changes: those the settings give a value, and those that go with one of them."""
    parameters = inspect.signature(made_by).parameters
    given = {
        argument
        for argument, value in options.items()
        if value and not (argument in parameters and value == parameters[argument].default)
    }
    groups: Iterable[frozenset[str]] = getattr(made_by, "FIXED_TOGETHER", ())
    return given.union(*(group for group in groups if group & given))


def kept(name: str) -> dict[str, str]:
    """The keys kept for a gateway, by argument. Raises Unusable when they cannot be unsealed."""
    row = MerchantKeys.objects.filter(gateway=name).first()
    return unseal(place(name, row.stamp), row.sealed) if row else {}


def replaced(name: str) -> Iterator[PaymentGateway]:
    """The gateway with the keys that were replaced lately, newest first: notices signed for them are still on their way."""
    since = clock.now() - timedelta(hours=settings.MERCHANT_KEYS_OVERLAP_HOURS)
    changes = MerchantKeysChange.objects.filter(gateway=name, changed_at__gt=since, replaced__isnull=False)
    for change in changes:
        try:
            yield make(name, unseal(place_replaced(name, change.replaced_stamp), change.replaced or b""))
        except Unusable as error:
            log.warning("The keys of %s replaced at %s are of no use: %s", name, change.changed_at, error)


def were_changed(name: str, *, since: datetime) -> bool:
    """Whether keys of a gateway were changed in the studio after that moment; what the environment sets leaves no trace."""
    return MerchantKeysChange.objects.filter(gateway=name, changed_at__gte=since).exists()


def place(name: str, stamp: str) -> str:
    """Where a gateway's keys stand."""
    return crypto.place("commerce_merchantkeys", "sealed", f"{name}:{stamp}")


def place_replaced(name: str, stamp: str) -> str:
    """Where keys stand that were replaced."""
    return crypto.place("commerce_merchantkeyschange", "replaced", f"{name}:{stamp}")


def unseal(where: str, sealed: bytes | memoryview) -> dict[str, str]:
    """Keys by argument. Raises Unusable."""
    try:
        keys: dict[str, str] = json.loads(crypto.unseal("house", where, sealed))
    except crypto.CryptoError as error:
        raise Unusable(_("The keys kept in the studio cannot be read: {why}"), why=str(error)) from error
    return keys


def lines(text: str) -> list[str]:
    """The values of an argument that takes several, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _construct(name: str, keys: Mapping[str, str]) -> Any:
    made_by, options = plugins.find_class(KIND, name)
    for slot in slots(name):
        if slot.name in keys and not slot.is_fixed:
            options[slot.name] = lines(keys[slot.name]) if slot.takes_several else keys[slot.name]
    return made_by(**options)


def _stamps() -> dict[str, str]:
    looked_at, now = _remembered.looked_at, time.monotonic()
    if looked_at is None or now - looked_at > LOOK_AFTER:
        forget()
        _remembered.stamps = dict(MerchantKeys.objects.values_list("gateway", "stamp"))
        _remembered.looked_at = now
    return _remembered.stamps


@receiver(setting_changed)
def _forget_all(**_kwargs: Any) -> None:
    _remembered.made.clear()  # a gateway may depend on any of them
    forget()


# --- At start -------------------------------------------------------------------------------------


@register
@translation.override("en")  # as all that the command line says
def check_gateways(**_kwargs: Any) -> list[CheckMessage]:
    """Make each gateway from its settings. One that waits for keys may start, so that they can be entered in the studio."""
    found: list[CheckMessage] = []
    for name in names():
        try:
            plugins.find_class(KIND, name)
        except Exception:  # noqa: BLE001, S112  plugins.check_plugins says it
            continue
        try:
            _construct(name, {})
        except ImproperlyConfigured as error:
            may_be_kept = not isinstance(error, PlayMoneyRefused) and any(not slot.is_fixed for slot in slots(name))
            found.append(_waiting(name, error) if may_be_kept else _refused(name, error))
        except Exception as error:  # noqa: BLE001  any failure of a third party's module is the operator's to read
            found.append(_refused(name, error))
    return found


def _waiting(name: str, error: Exception) -> CheckMessage:
    hint = "Enter its keys in the studio under Selling › Merchant keys, or set them in the environment."
    return Warning(f"Gateway {name!r} cannot be used by its settings alone: {error}", hint=hint, id="sishu.W001")


def _refused(name: str, error: Exception) -> CheckMessage:
    return Error(f"{KIND} plug-in {name!r} cannot be loaded: {error}", id="sishu.E001")
