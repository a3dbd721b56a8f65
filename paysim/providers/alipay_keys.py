"""Alipay's side of keys: the merchant's, Alipay's own and the one after it, and the certificates of certificate mode."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from paysim.keys import kept_rsa, kept_text


class BadSignature(Exception):
    """The request is not this merchant's."""


class AlipayKeys:
    """All keys of one merchant at Alipay, kept in a folder. Certificates vouch for the same keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.merchant = kept_rsa(folder / "alipay-merchant.pem")
        self.alipay = kept_rsa(folder / "alipay.pem")
        # What Alipay signs with once it has changed its key.
        self.alipay_next = kept_rsa(folder / "alipay-next.pem")

    def check(self, params: Mapping[str, str]) -> None:
        """Whether the merchant signed these parameters. BadSignature if not."""
        try:
            signature = b64decode(params["sign"], validate=True)
            text = text_of(params, without={"sign"}).encode()
            self.merchant.public_key().verify(signature, text, padding.PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError, KeyError):
            raise BadSignature from None

    @cached_property
    def authority(self) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        """Who vouches for the others."""
        key = kept_rsa(self.folder / "alipay-root.pem")
        return self._certificate("alipay-root", "Ant Financial Root R1 (paysim)", key), key

    @cached_property
    def root_pem(self) -> str:
        """The file of roots: one under RSA, and one under an elliptic curve, which does not count."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = name_of("Ant Financial Root E1 (paysim)")
        other = _builder(name, name, key.public_key()).sign(key, SHA256())
        kept = kept_text(self.folder / "alipay-root-ec.crt", pem_of(other))
        return f"{kept}\n{pem_of(self.authority[0])}"

    @cached_property
    def merchant_certificate(self) -> x509.Certificate:
        return self._certificate("alipay-merchant", "paysim merchant", self.merchant)

    @cached_property
    def alipay_certificate(self) -> x509.Certificate:
        return self._certificate("alipay", "paysim alipay", self.alipay)

    @cached_property
    def alipay_next_certificate(self) -> x509.Certificate:
        return self._certificate("alipay-next", "paysim alipay", self.alipay_next)

    def certificate_of(self, key: rsa.RSAPrivateKey) -> x509.Certificate:
        """Alipay's certificate for one of its keys."""
        return self.alipay_next_certificate if key is self.alipay_next else self.alipay_certificate

    @property
    def root_serial(self) -> str:
        return serial_of(self.authority[0])

    def _certificate(self, file: str, name: str, key: rsa.RSAPrivateKey) -> x509.Certificate:
        subject = name_of(name)
        issuer, signer = (subject, key) if file == "alipay-root" else (self.authority[0].subject, self.authority[1])
        made = pem_of(_builder(subject, issuer, key.public_key()).sign(signer, SHA256()))
        return x509.load_pem_x509_certificate(kept_text(self.folder / f"{file}.crt", made).encode())


def text_of(params: Mapping[str, str], *, without: Collection[str]) -> str:
    """What is signed of parameters: sorted by name, joined, nothing encoded, empty values left out."""
    return "&".join(f"{key}={value}" for key, value in sorted(params.items()) if value and key not in without)


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    """RSA2."""
    return b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def serial_of(certificate: x509.Certificate) -> str:
    """What Alipay calls a certificate's SN: a digest of the issuer's name, most special first, and the number."""
    labels = {NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.ORGANIZATION_NAME: "O", NameOID.COUNTRY_NAME: "C"}  # fmt: skip
    name = ",".join(f"{labels[one.oid]}={one.value!s}" for one in reversed(list(certificate.issuer)))
    return hashlib.md5(f"{name}{certificate.serial_number}".encode(), usedforsecurity=False).hexdigest()


def name_of(common: str) -> x509.Name:
    """A name like those in Ant's certificates."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ant Financial"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5 * 365))
    )
