"""What WeChat Pay tells the merchant by itself: sealed, signed, and again until it is understood."""

from __future__ import annotations

import json
import secrets
import uuid
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from paysim.bank import Capture, Charge, Refund, RefundStatus
from paysim.china import CHINA
from paysim.faults import FaultKind
from paysim.providers.wechat_keys import Signer, dumps
from paysim.providers.wechat_merchant import Counterpart

# Seconds after which a notice that was not understood is sent again, 15 times.
SCHEDULE = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
REFUND_EVENTS = {
    RefundStatus.SUCCEEDED: ("REFUND.SUCCESS", "退款成功"), RefundStatus.FAILED: ("REFUND.ABNORMAL", "退款异常"),
    RefundStatus.CLOSED: ("REFUND.CLOSED", "退款关闭"),
}  # fmt: skip
PROBE = "WECHATPAY/SIGNTEST/"


def moment(at: datetime) -> str:
    """RFC 3339 as WeChat writes it: China's time, whole seconds."""
    return at.astimezone(CHINA).replace(microsecond=0).isoformat()


def understood(status: int, body: bytes) -> bool:
    """200 and 204 count, whatever the body says."""
    return status in (200, 204)


class Events:
    """Owes a notice for each payment and each refund that came to an end."""

    def __init__(self, provider: Counterpart) -> None:
        self.provider = provider
        self.sim = provider.sim

    def hear(self, what: str, charge: Charge, about: Any) -> None:
        """The bank's listener. WeChat tells of success only: who fails or closes is not told."""
        if what == "paid" and isinstance(about, Capture):
            said = {**self.provider.transaction(charge), "trade_state": "SUCCESS", "trade_state_desc": "支付成功"}
            self.owe(charge, charge.notify_url, "TRANSACTION.SUCCESS", "支付成功", "transaction", said)
        elif what == "refund" and isinstance(about, Refund):
            event, words = REFUND_EVENTS[about.status]
            # [M] A refund from the console is told to the address set there; here the payment's stands for it.
            url = about.notify_url or (charge.notify_url if about.is_external else "")
            self.owe(charge, url, event, words, "refund", self.refund_notice(charge, about))

    def owe(self, charge: Charge, url: str, event: str, summary: str, kind: str, said: dict[str, Any]) -> None:
        """The content stays as it is now; every delivery is signed anew."""
        notice_id, created = str(uuid.uuid4()), moment(self.sim.clock.now())
        if self.sim.faults.take(FaultKind.OTHER_MERCHANT, charge.reference):
            said = {**said, "mchid": f"16{secrets.randbelow(10**8):08d}"}

        def compose() -> tuple[dict[str, str], bytes]:
            body = {
                "id": notice_id, "create_time": created, "event_type": event, "resource_type": "encrypt-resource",
                "summary": summary, "resource": self.provider.keys.seal(dumps(said), about=kind, kind=kind),
            }  # fmt: skip
            return self.signed(charge.reference, dumps(body).encode())

        self.sim.notifier.add(
            reference=charge.reference, url=url, compose=compose, understood=understood, schedule=SCHEDULE
        )

    def signed(self, reference: str, body: bytes) -> tuple[dict[str, str], bytes]:
        """A notice as it goes out now, with the faults that wait for it."""
        faults, keys, at = self.sim.faults, self.provider.keys, self.sim.clock.now()
        signer = self.provider.notice_signer()
        if faults.take(FaultKind.OTHER_KEY, reference):
            signer = keys.certificates[-1].signer if signer.serial == keys.public_id else keys.public_signer
        if faults.take(FaultKind.FORGED_SIGNATURE, reference):
            signer = replace(signer, key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
        if shift := faults.take(FaultKind.OLD_TIMESTAMP, reference):
            at -= timedelta(seconds=float(shift.value))
        headers = {"Content-Type": "application/json", **signer.headers(body, at)}
        if faults.take(FaultKind.SIGN_PROBE, reference):
            headers["Wechatpay-Signature"] = PROBE + b64encode(secrets.token_bytes(64)).decode()
        return headers, body

    def notice(self, reference: str, *, signer: Signer | None = None) -> tuple[dict[str, str], bytes]:
        """The latest notice about a charge, as it would be sent now; signed by `signer` where one is given."""
        found = [one for one in self.sim.notifier.deliveries if one.reference == reference]
        headers, body = found[-1].compose()
        if signer is not None:
            headers = {**headers, **signer.headers(body, self.sim.clock.now())}
        return headers, body

    def refund_notice(self, charge: Charge, refund: Refund) -> dict[str, Any]:
        """What a refund's notice holds."""
        full = self.provider.refunded(charge, refund)
        kept = ("out_trade_no", "transaction_id", "out_refund_no", "refund_id", "success_time", "user_received_account")
        amount = full["amount"]
        return {
            "mchid": self.provider.merchant,
            **{key: full[key] for key in kept if key in full},
            "refund_status": full["status"],
            "amount": {key: amount[key] for key in ("total", "refund", "payer_total", "payer_refund")},
        }


def read(body: bytes) -> dict[str, Any]:
    """A request's JSON object. ValueError for anything else."""
    data = json.loads(body)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data
