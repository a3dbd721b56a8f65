"""The keys on both sides of WeChat Pay v3, and what is signed and sealed with them."""

from __future__ import annotations

import json
import re
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from paysim.http import Asked
from paysim.keys import kept_rsa, kept_text

SCHEME = "WECHATPAY2-SHA256-RSA2048"
# Seconds by which a request's clock may differ from the provider's.
CLOCK_WINDOW = 300


class BadSignature(Exception):
    """The request is not this merchant's."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with the name by which `Wechatpay-Serial` calls it."""

    serial: str
    key: rsa.RSAPrivateKey

    def sign(self, message: str) -> str:
        return b64encode(self.key.sign(message.encode(), padding.PKCS1v15(), SHA256())).decode()

    def headers(self, body: bytes, at: datetime) -> dict[str, str]:
        """What makes `body` WeChat's own."""
        moment, nonce = str(int(at.timestamp())), secrets.token_hex(16)
        return {
            "Wechatpay-Timestamp": moment,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.serial,
            "Wechatpay-Signature": self.sign(f"{moment}\n{nonce}\n{body.decode()}\n"),
            "Wechatpay-Signature-Type": SCHEME,
        }


@dataclass(frozen=True, slots=True)
class PlatformCertificate:
    """A certificate of WeChat's, and the key it vouches for."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:040X}"

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def signer(self) -> Signer:
        return Signer(self.serial, self.key)


class WechatKeys:
    """All keys of one merchant at WeChat Pay, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.merchant = kept_rsa(folder / "wechat-merchant.pem")
        self.merchant_serial = kept_text(folder / "wechat-merchant.serial", secrets.token_hex(20).upper())
        self.api_v3 = kept_text(folder / "wechat-api-v3.key")
        self.app_secret = kept_text(folder / "wechat-app.secret")
        self.public = kept_rsa(folder / "wechat-public.pem")
        self.public_id = kept_text(folder / "wechat-public.id", f"PUB_KEY_ID_{secrets.randbelow(10**24):024d}")
        self.certificates = [certificate_in(folder, "wechat-platform")]

    @property
    def public_signer(self) -> Signer:
        return Signer(self.public_id, self.public)

    def renew_certificate(self) -> PlatformCertificate:
        """One more platform certificate beside the old; the new one signs from now on. Not kept."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificates.append(PlatformCertificate(self_signed(key), key))
        return self.certificates[-1]

    def check(self, asked: Asked, target: str, merchant: str) -> None:
        """Whether the merchant signed this request. BadSignature says what is wrong.

        Judged by the machine's clock and not the simulator's: a merchant's client signs with the machine's.
        """
        kind, _, rest = asked.headers.get("Authorization", "").partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if kind != SCHEME or not {"mchid", "nonce_str", "signature", "timestamp", "serial_no"} <= said.keys():
            raise BadSignature("Authorization is missing or incomplete.")
        if said["mchid"] != merchant or said["serial_no"].upper() != self.merchant_serial:
            raise BadSignature("mchid and serial_no do not belong together.")
        if not said["timestamp"].isdigit() or abs(time.time() - int(said["timestamp"])) > CLOCK_WINDOW:
            raise BadSignature("The timestamp is too far from ours.")
        message = f"{asked.method}\n{target}\n{said['timestamp']}\n{said['nonce_str']}\n{asked.body.decode()}\n"
        try:
            self.merchant.public_key().verify(
                b64decode(said["signature"]), message.encode(), padding.PKCS1v15(), SHA256()
            )
        except (InvalidSignature, ValueError):
            raise BadSignature("The signature is wrong.") from None

    def signer_for(self, headers: Mapping[str, str]) -> Signer:
        """Who signs the answer: the public key if the merchant asked for it, else the newest certificate."""
        if headers.get("Wechatpay-Serial") == self.public_id:
            return self.public_signer
        return self.certificates[-1].signer

    def seal(self, data: str, *, about: str, kind: str = "") -> dict[str, str]:
        """A resource that only who has the APIv3 key can open."""
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self.api_v3.encode()).encrypt(nonce.encode(), data.encode(), about.encode())
        resource = {
            "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": about,
            "ciphertext": b64encode(sealed).decode(),
        }  # fmt: skip
        return {"original_type": kind, **resource} if kind else resource

    def listed(self) -> dict[str, Any]:
        """What /v3/certificates says."""
        return {
            "data": [
                {
                    "serial_no": one.serial,
                    "effective_time": one.certificate.not_valid_before_utc.isoformat(),
                    "expire_time": one.certificate.not_valid_after_utc.isoformat(),
                    "encrypt_certificate": self.seal(one.pem, about="certificate"),
                }
                for one in self.certificates
            ]
        }


def certificate_in(folder: Path, name: str) -> PlatformCertificate:
    """The key and the certificate of that name, made on first use."""
    key = kept_rsa(folder / f"{name}.pem")
    text = kept_text(folder / f"{name}.crt", self_signed(key).public_bytes(Encoding.PEM).decode())
    return PlatformCertificate(x509.load_pem_x509_certificate(text.encode()), key)


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Good from yesterday, for five years as WeChat's are."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paysim")]), datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5 * 365))
        .sign(key, SHA256())
    )


def dumps(data: Any) -> str:
    """As WeChat writes JSON: UTF-8, unescaped."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
