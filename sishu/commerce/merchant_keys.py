"""Entering, changing and removing the keys at payment providers. No value leaves here: not to a page, a log or a mail."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.commerce import merchant_mail, merchants
from sishu.commerce.models import MerchantKeys, MerchantKeysChange
from sishu.core import clock, crypto
from sishu.core.errors import Invalid
from sishu.core.models import WrongStatus

log = logging.getLogger(__name__)

# How much of a number is shown.
ENDING = 4


def change(
    name: str, said: Mapping[str, str], *, by: User, removed: Collection[str] = (), stop_believing: bool = False
) -> MerchantKeysChange:
    """Keep what was `said` for a gateway, by argument, and take away what is `removed`; the rest stays as it is.

    Notices signed for what is replaced are believed for MERCHANT_KEYS_OVERLAP_HOURS more, unless `stop_believing`: the old
    keys are in wrong hands. Raises Invalid when the gateway cannot be made with the keys, WrongStatus when somebody else
    changed them at the same time.
    """
    row = MerchantKeys.objects.filter(gateway=name).first()
    before = _present(name, row)
    open_slots = {slot.name for slot in merchants.slots(name) if not slot.is_fixed}
    fresh = {argument: _tidy(text) for argument, text in said.items() if argument in open_slots and text.strip()}
    after = {argument: text for argument, text in {**before, **fresh}.items() if argument not in removed}
    changed = sorted(argument for argument in {*before, *after} if before.get(argument) != after.get(argument))
    if not changed and not stop_believing:
        raise Invalid(_("Nothing was changed: every key is as it was."))
    if after:
        try:
            merchants.make(name, after)
        except merchants.Unusable as error:
            raise Invalid(
                _("Nothing was changed: with these keys the gateway cannot be used. %(why)s") % {"why": error}
            ) from error
    made = _write(name, row, before, after, changed, by=by, stop_believing=stop_believing)
    merchants.forget()
    log.warning("The keys %s of gateway %s were changed by %s.", ", ".join(changed) or "(none)", name, by.username)
    return made


@dataclass(frozen=True, slots=True)
class Standing:
    """How things are with one argument of a gateway, in what may be shown of it: `ending` is the end of a number."""

    slot: merchants.Slot
    is_kept: bool
    ending: str

    @property
    def is_set(self) -> bool:
        return self.is_kept or self.slot.is_fixed


def standing(name: str) -> list[Standing]:
    """Each argument of a gateway that is a text or several. Keys that cannot be read count as not kept."""
    row = MerchantKeys.objects.filter(gateway=name).first()
    kept = _present(name, row)
    return [
        Standing(slot, slot.name in kept and not slot.is_fixed, _ending(slot, kept.get(slot.name, "")))
        for slot in merchants.slots(name)
    ]


def _ending(slot: merchants.Slot, kept: str) -> str:
    """The last characters of what is no secret, and long enough that they do not tell it whole."""
    value = str(slot.value) if slot.is_fixed else kept
    return "" if slot.is_secret or slot.takes_several or len(value) < 2 * ENDING else value[-ENDING:]


def changes(name: str, limit: int = 20) -> list[MerchantKeysChange]:
    """The latest changes of a gateway's keys, newest first."""
    return list(MerchantKeysChange.objects.filter(gateway=name).select_related("changed_by")[:limit])


def forget_replaced() -> int:
    """Delete keys that were replaced longer ago than notices for them are believed. Returns how many."""
    old = clock.now() - timedelta(hours=settings.MERCHANT_KEYS_OVERLAP_HOURS)
    return MerchantKeysChange.objects.filter(changed_at__lte=old, replaced__isnull=False).update(replaced=None)


def _present(name: str, row: MerchantKeys | None) -> dict[str, str]:
    """What is kept; nothing when it cannot be read any more, so that it can be entered anew."""
    if row is None:
        return {}
    try:
        return merchants.unseal(merchants.place(name, row.stamp), row.sealed)
    except merchants.Unusable as error:
        log.error("The keys kept for %s are lost: %s", name, error)
        return {}


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _write(
    name: str, row: MerchantKeys | None, before: dict[str, str], after: dict[str, str], changed: list[str], *, by: User,
    stop_believing: bool,
) -> MerchantKeysChange:  # fmt: skip
    stamp, replaced_stamp = secrets.token_hex(16), row.stamp if row else ""
    sealed = crypto.seal("house", merchants.place(name, stamp), json.dumps(after))
    replaced = None
    if before and changed and not stop_believing:
        replaced = crypto.seal("house", merchants.place_replaced(name, replaced_stamp), json.dumps(before))
    with transaction.atomic():
        _put(name, row, stamp, sealed)
        if stop_believing:
            MerchantKeysChange.objects.filter(gateway=name, replaced__isnull=False).update(replaced=None)
        made = MerchantKeysChange.objects.create(
            gateway=name, changed_by=by, names=changed, replaced_stamp=replaced_stamp, replaced=replaced
        )
        merchant_mail.send_keys_changed.enqueue(made.pk)
    return made


def _put(name: str, row: MerchantKeys | None, stamp: str, sealed: bytes) -> None:
    """Write the keys where they were read from, if they are still those."""
    try:
        with transaction.atomic():
            if row is None:
                MerchantKeys.objects.create(gateway=name, stamp=stamp, sealed=sealed)
                return
            if MerchantKeys.objects.filter(pk=row.pk, stamp=row.stamp).update(stamp=stamp, sealed=sealed):
                return
    except IntegrityError:
        pass
    raise WrongStatus(_("Somebody else changed these keys at this moment. Nothing of yours was kept; look once more."))
