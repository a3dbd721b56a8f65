"""Talking with WeChat Pay v3: signed calls, verified answers, opened notices. Wraps wechatpayv3's core.

What the library leaves open is closed here: the clock is compared, a serial is looked up before anything else, no
message from outside makes us call out, and every failure is one of ours, without a word of what was in the message.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType
from wechatpayv3.utils import aes_decrypt

from sishu.core import clock
from sishu.gateways.base import BadNotice, GatewayError

log = logging.getLogger(__name__)

# Seconds by which WeChat's clock may differ from ours, either way; the library does not look.
CLOCK_WINDOW = 300
# Certificates are asked for no more often, whoever sends us serials we do not know.
FETCH_PAUSE = timedelta(seconds=60)
# WeChat announces a new certificate a day before it signs with it, and wants to be asked twice a day.
CERTIFICATE_AGE = timedelta(hours=12)
# Seconds to connect, and to wait for an answer.
TIMEOUT = (5.0, 10.0)
SCHEME = "WECHATPAY2-SHA256-RSA2048"
# With this signatures begin by which WeChat tries whether we look at them.
PROBE = "WECHATPAY/SIGNTEST/"
SIGNED = ("Timestamp", "Nonce", "Serial", "Signature", "Signature-Type")
_SERIAL = re.compile(r"[0-9A-Fa-f]{1,40}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


class Refused(Exception):
    """WeChat's clear no: `code` is its word. The rest of such an answer is not verified and not looked at."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Untrusted(Exception):
    """Signed by nobody we know, or at another time. Says why, and nothing of the message."""


class WechatClient(Core):
    """One merchant's line to WeChat Pay. Certificates that were fetched are kept in `folder`, for all processes."""

    def __init__(
        self, *, url: str, mch_id: str, cert_serial: str, private_key: str, api_v3_key: str, public_key: str,
        public_key_id: str, certificates: list[x509.Certificate], folder: Path, timeout: tuple[float, float] = TIMEOUT,
    ) -> None:  # fmt: skip
        super().__init__(
            mchid=mch_id, cert_serial_no=cert_serial, private_key=private_key, apiv3_key=api_v3_key, timeout=timeout,
            public_key=public_key or None, public_key_id=public_key_id or None,
        )  # fmt: skip
        self._gate_way = url.rstrip("/")
        self._given = certificates
        self._folder = folder
        self._fetched_at: datetime | None = None
        self._is_wanted = False
        self._fetching = Lock()
        self._certificates = [*certificates, *self._kept()]

    def _init_certificates(self) -> None:
        """The library would call out while it is made."""

    def _update_certificates(self) -> None:
        """The library would call out for every serial it does not know, whoever sent it."""

    def get(self, path: str) -> dict[str, Any]:
        """A signed question, and its verified answer. Raises Refused, GatewayError."""
        return self._object(self._call(path, RequestType.GET))

    def post(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """A signed order, and its verified answer; empty for 204. Raises Refused, GatewayError."""
        return self._object(self._call(path, RequestType.POST, dict(data)))

    def download(self, url: str) -> bytes:
        """A file whose address WeChat gave us. It is not signed: compare its hash. Raises Refused, GatewayError."""
        if not url.startswith(f"{self._gate_way}/v3/"):
            raise GatewayError(_("WeChat Pay named a file that lies at another address than its own."))
        answer = self._call(url.removeprefix(self._gate_way), RequestType.GET, is_signed=False)
        return answer.encode() if isinstance(answer, str) else answer

    def open_notice(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """A notice with its `resource` opened. Raises BadNotice; never calls out."""
        # By one spelling only: the library would also believe others.
        signed = {f"Wechatpay-{name}": headers.get(f"Wechatpay-{name}") or "" for name in SIGNED}
        try:
            said = self.callback(signed, body)
        except Untrusted as error:
            raise BadNotice(*error.args) from None
        except Exception as error:  # noqa: BLE001  the library raises nothing finer
            raise BadNotice(f"The notice cannot be read: {type(error).__name__}.") from None
        if not isinstance(said, dict) or not isinstance(said.get("resource"), dict):
            raise BadNotice("The notice's signature is wrong, or what it holds cannot be opened.")
        return said

    def _call(
        self, path: str, method: RequestType, data: dict[str, Any] | None = None, *, is_signed: bool = True
    ) -> str | bytes:
        if self._is_fetch_due():
            self._fetch_certificates()
        try:
            status, answer = self.request(path, method=method, data=data, skip_verify=not is_signed)
        except Untrusted as error:
            raise GatewayError(_("What came as WeChat Pay's answer is not believed: {why}"), why=error) from None
        except Exception as error:  # noqa: BLE001  the library raises bare Exception for a wrong signature
            raise GatewayError(_("WeChat Pay did not answer clearly: {error}."), error=type(error).__name__) from None
        if 200 <= status < 300:
            return answer  # type: ignore[no-any-return]
        code = _code_of(answer)
        if 400 <= status < 500 and status not in (401, 429) and code:
            raise Refused(status, code)
        raise GatewayError(_("WeChat Pay answered {said}."), said=f"{status} {code}".rstrip())

    def _object(self, answer: str | bytes) -> dict[str, Any]:
        try:
            said = json.loads(answer or "{}")
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise GatewayError(_("WeChat Pay's answer is no JSON object."))
        return said

    def _verify_signature(self, headers: Mapping[str, str], body: str) -> bool:
        """The library's check, after ours. Raises Untrusted."""
        moment, serial = headers.get("Wechatpay-Timestamp") or "", headers.get("Wechatpay-Serial") or ""
        signature = headers.get("Wechatpay-Signature") or ""
        if headers.get("Wechatpay-Signature-Type") != SCHEME:
            raise Untrusted(_("it is not signed, or in another way."))
        if signature.startswith(PROBE):
            raise Untrusted(_("it is a probe of WeChat's own, signed wrongly on purpose."))
        if not re.fullmatch(r"[0-9]{1,12}", moment) or abs(clock.now().timestamp() - int(moment)) > CLOCK_WINDOW:
            raise Untrusted(
                format_lazy(_("it is more than {seconds} seconds away from our clock."), seconds=CLOCK_WINDOW)
            )
        if not self._knows(serial):
            self._is_wanted = True
            raise Untrusted(_("its key is none we know."))
        return bool(super()._verify_signature(headers, body))

    def _knows(self, serial: str) -> bool:
        """Whether a message by this serial can be verified at all; looks at home only."""
        if self._public_key_id and serial == self._public_key_id:
            return True
        if not _SERIAL.fullmatch(serial):
            return False
        number = int(serial, 16)
        if any(one.serial_number == number and is_valid(one) for one in self._certificates):
            return True
        # Another process may have fetched it.
        kept = _certificate_in(self._path_of(number))
        if kept is None or kept.serial_number != number or not is_valid(kept):
            return False
        self._certificates = [*self._certificates, kept]
        return True

    def _is_fetch_due(self) -> bool:
        """Asked before a call of our own; what others send only sets `_is_wanted`."""
        age = clock.now() - self._fetched_at if self._fetched_at else None
        if age is not None and age < FETCH_PAUSE:
            return False
        if self._is_wanted:
            return True
        if self._public_key_id:
            return False
        has_valid = any(is_valid(one) for one in self._certificates)
        return not has_valid or age is None or age > CERTIFICATE_AGE

    def _fetch_certificates(self) -> None:
        """Ask WeChat for its certificates. Without an answer we go on with those we have.

        Neither signature nor chain is looked at: only WeChat can seal them with our APIv3 key.
        """
        with self._fetching:
            if not self._is_fetch_due():
                return  # another thread did it meanwhile
            self._fetched_at, self._is_wanted = clock.now(), False
            try:
                status, answer = self.request("/v3/certificates", skip_verify=True)
                if status != 200:
                    log.warning("WeChat Pay gave no certificates: %s %s", status, _code_of(answer))
                    return
                found = [self._opened(one["encrypt_certificate"]) for one in json.loads(answer)["data"]]
            except Exception as error:  # noqa: BLE001  whatever it was, the call that waits says whether it matters
                log.warning("WeChat Pay gave no certificates that can be read: %s", type(error).__name__)
                return
            for one in found:
                self._keep(one)
            self._certificates = [*self._given, *found]

    def _opened(self, sealed: Mapping[str, str]) -> x509.Certificate:
        text = aes_decrypt(sealed["nonce"], sealed["ciphertext"], sealed["associated_data"], self._apiv3_key)
        return x509.load_pem_x509_certificate(text.encode())

    def _kept(self) -> list[x509.Certificate]:
        found = [_certificate_in(path) for path in sorted(self._folder.glob("*.pem"))]
        return [one for one in found if one is not None and is_valid(one)]

    def _keep(self, certificate: x509.Certificate) -> None:
        path = self._path_of(certificate.serial_number)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def _path_of(self, number: int) -> Path:
        return self._folder / f"{number:040X}.pem"


def is_valid(certificate: x509.Certificate) -> bool:
    """Whether it may be used at this moment."""
    return certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc


def _certificate_in(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _code_of(answer: str | bytes) -> str:
    """The provider's word for what is wrong, if it is one."""
    try:
        code = json.loads(answer).get("code", "")
    except (ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
