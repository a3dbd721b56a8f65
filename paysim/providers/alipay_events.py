"""What Alipay tells the merchant by itself: signed forms, sent again until the answer is `success`."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from paysim.bank import Capture, Charge, Refund, RefundStatus
from paysim.china import yuan
from paysim.faults import FaultKind
from paysim.providers.alipay_keys import sign, text_of
from paysim.providers.alipay_merchant import Counterpart
from paysim.providers.alipay_wire import moment

# Seconds after which a notice that was not understood is sent again: eight in all, within 25 hours.
SCHEDULE = (240, 600, 600, 3600, 7200, 21600, 54000)
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def understood(status: int, body: bytes) -> bool:
    """Exactly `success`, and nothing around it."""
    return status == 200 and body == b"success"


class Events:
    """Owes a notice whenever the status of a trade changes, and for each refund."""

    def __init__(self, provider: Counterpart) -> None:
        self.provider = provider
        self.sim = provider.sim

    def hear(self, what: str, charge: Charge, about: Any) -> None:
        """The bank's listener."""
        if what == "paid" and isinstance(about, Capture):
            charge.extra["arrived"] = True
            self.owe(charge, {})
        elif what == "closed" and charge.extra["arrived"]:
            self.owe(charge, {"gmt_close": moment(self.sim.clock.now())})
        elif what == "refund" and isinstance(about, Refund) and about.status == RefundStatus.SUCCEEDED:
            self.owe(charge, self.refunded(charge, about))

    def refunded(self, charge: Charge, refund: Refund) -> dict[str, str]:
        """What a refund adds to a notice. `refund_fee` is the sum of all until now, not this one's."""
        now = refund.settled_at or refund.at
        said = {"refund_fee": yuan(self.provider.refunded(charge)), "gmt_refund": f"{moment(now)}.{now:%f}"[:-3]}
        if not charge.extra.get("hides_numbers"):
            # [M] Whether a refund from the console names a number of its own.
            said["out_biz_no"] = refund.reference
        if self.provider.status(charge) == "TRADE_CLOSED":
            said["gmt_close"] = moment(now)
        return said

    def finish(self, reference: str) -> None:
        """The time for refunds is over, a year after the payment (three months for some contracts)."""
        charge = self.sim.bank.find(self.provider.name, reference)
        assert charge is not None  # noqa: S101  who calls knows it
        charge.extra["finished"] = True
        done = [one for one in charge.refunds if one.status == RefundStatus.SUCCEEDED]
        self.owe(charge, self.refunded(charge, done[-1]) if done else {})

    def owe(self, charge: Charge, more: dict[str, str]) -> None:
        """The content stays as it is now; `notify_time` and the signature are each delivery's."""
        provider, faults = self.provider, self.sim.faults
        said = {
            "notify_type": "trade_status_sync", "notify_id": f"{self.sim.bank.new_number()}{secrets.randbelow(10**6):06d}",
            "charset": "utf-8", "version": "1.0", "app_id": provider.app, "auth_app_id": provider.app,
            "seller_id": provider.seller, "seller_email": "shop@example.com", **provider.trade(charge),
            "subject": charge.title, "body": "", "gmt_create": moment(charge.created_at), **more,
        }  # fmt: skip
        if charge.paid_at is not None:
            said |= {"gmt_payment": moment(charge.paid_at), "buyer_id": charge.extra["buyer"]}
            total = yuan(charge.captured)
            said |= dict.fromkeys(("receipt_amount", "buyer_pay_amount", "invoice_amount"), total)
            said |= {
                "point_amount": "0.00",
                "fund_bill_list": f'[{{"amount":"{total}","fundChannel":"ALIPAYACCOUNT"}}]',
            }
        if other := faults.take(FaultKind.OTHER_MERCHANT, charge.reference):
            name = "app_id" if other.value == "app" else "seller_id"
            said[name] = f"2088{secrets.randbelow(10**12):012d}"

        def compose() -> tuple[dict[str, str], bytes]:
            return self.signed(charge.reference, said)

        self.sim.notifier.add(
            reference=charge.reference, url=charge.notify_url, compose=compose, understood=understood, schedule=SCHEDULE
        )

    def signed(self, reference: str, said: dict[str, str]) -> tuple[dict[str, str], bytes]:
        """A notice as it goes out now, with the faults that wait for it."""
        faults, at = self.sim.faults, self.sim.clock.now()
        key = self.provider.signing_key
        if faults.take(FaultKind.OTHER_KEY, reference):
            key = self.provider.keys.alipay_next
        if faults.take(FaultKind.FORGED_SIGNATURE, reference):
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if shift := faults.take(FaultKind.OLD_TIMESTAMP, reference):
            at -= timedelta(seconds=float(shift.value))
        full = {"notify_time": moment(at), **said}
        signature = sign(key, text_of(full, without=()))
        return dict(HEADERS), urlencode({**full, "sign_type": "RSA2", "sign": signature}).encode()

    def notice(self, reference: str, **changes: str) -> tuple[dict[str, str], bytes]:
        """The latest notice about a trade as it would be sent now; with `changes`, which are signed too."""
        found = [one for one in self.sim.notifier.deliveries if one.reference == reference]
        headers, body = found[-1].compose()
        if not changes:
            return headers, body
        said = dict(parse_qsl(body.decode(), keep_blank_values=True))
        del said["sign"], said["sign_type"]
        return self.signed(reference, {**said, **changes})
