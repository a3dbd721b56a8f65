"""Alipay's RSA2 signatures over parameters and answers, and the numbers of its certificates."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sishu.core.languages import listed

PEM = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)
SHORT_NAMES = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.ORGANIZATION_NAME: "O",
    NameOID.COUNTRY_NAME: "C", NameOID.STATE_OR_PROVINCE_NAME: "ST", NameOID.LOCALITY_NAME: "L",
}  # fmt: skip


class Unsigned(Exception):
    """What came is not signed by Alipay."""


def text_to_sign(parameters: Mapping[str, str], *, without: Iterable[str] = ("sign",)) -> str:
    """All parameters that hold something, sorted, as "a=1&b=2", before any URL encoding."""
    left_out = set(without)
    return "&".join(f"{key}={value}" for key, value in sorted(parameters.items()) if value and key not in left_out)


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    """SHA-256 with RSA (PKCS#1 v1.5), base64."""
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def verify(keys: Iterable[rsa.RSAPublicKey], text: str, signature: str) -> None:
    """Unsigned unless one of the keys made the signature; with SHA-256, whatever the message says of itself."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise Unsigned(_("The signature is no base64.")) from None
    for key in keys:
        try:
            return key.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
    raise Unsigned(_("The signature is not Alipay's."))


def members(text: str) -> dict[str, tuple[str, Any]]:
    """The members of a JSON object: name → (its value's text as it was sent, the value). Unsigned for anything else.

    A signature is over the sent text, so nothing may be written anew; and a name that comes twice could say one thing to
    the check and another to its reader.
    """
    decoder, found = json.JSONDecoder(), {}
    try:
        at = _past(text, 0, "{")
        while text[at] != "}":
            name, at = decoder.raw_decode(text, at)
            start = _past(text, at, ":")
            value, at = decoder.raw_decode(text, start)
            if not isinstance(name, str) or name in found:
                raise Unsigned(_("A name comes twice in the answer."))
            found[name] = (text[start:at], value)
            at = _blanks(text, at)
            if text[at] == ",":
                at = _blanks(text, at + 1)
    except (ValueError, IndexError):
        raise Unsigned(_("The answer is no JSON object.")) from None
    return found


def private_key(text: str) -> rsa.RSAPrivateKey:
    """An application's key: PEM, or the bare base64 that Alipay's key tool writes, PKCS#8 or PKCS#1."""
    wrapped = text if "BEGIN" in text else f"-----BEGIN PRIVATE KEY-----\n{text.strip()}\n-----END PRIVATE KEY-----"
    for pem in (wrapped, wrapped.replace(" PRIVATE KEY", " RSA PRIVATE KEY") if "RSA" not in wrapped else wrapped):
        try:
            key = serialization.load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError):
            continue
        if isinstance(key, rsa.RSAPrivateKey):
            return key
    raise ImproperlyConfigured(_("ALIPAY_PRIVATE_KEY is no RSA key; paste what Alipay's key tool calls 应用私钥."))


def public_keys(text: str) -> list[rsa.RSAPublicKey]:
    """Alipay's keys: several PEMs, or one bare base64 a line. ImproperlyConfigured for what is none."""
    pems = PEM.findall(text) or [
        f"-----BEGIN PUBLIC KEY-----\n{line.strip()}\n-----END PUBLIC KEY-----" for line in text.split() if line.strip()
    ]
    keys = []
    for pem in pems:
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except ValueError:
            key = None
        if not isinstance(key, rsa.RSAPublicKey):
            raise ImproperlyConfigured(_("ALIPAY_PUBLIC_KEY is no RSA key; paste 支付宝公钥, not your own 应用公钥."))
        keys.append(key)
    return keys


@dataclass(frozen=True, slots=True)
class Certificates:
    """What certificate mode says of itself in every request, and the keys that Alipay's certificates vouch for."""

    app_sn: str
    root_sn: str
    alipay_keys: list[rsa.RSAPublicKey]


def read_certificates(app: str, root: str, alipay: str, own_key: rsa.RSAPrivateKey) -> Certificates | None:
    """The three of certificate mode; None where none is set. ImproperlyConfigured for what does not fit together."""
    texts = {"ALIPAY_APP_CERT": app, "ALIPAY_ROOT_CERT": root, "ALIPAY_CERT": alipay}
    if not any(texts.values()):
        return None
    if not all(texts.values()):
        raise ImproperlyConfigured(
            format_lazy(_("Certificate mode needs all of {names}; for key mode set none."), names=listed(list(texts)))
        )
    own, roots, theirs = (_certificates(text, name) for name, text in texts.items())
    if _key_of(own[0], "ALIPAY_APP_CERT") != own_key.public_key():
        raise ImproperlyConfigured(
            _("ALIPAY_APP_CERT is not of ALIPAY_PRIVATE_KEY; fetch appCertPublicKey_….crt again.")
        )
    root_sn = root_serial_number(roots)
    if not root_sn:
        raise ImproperlyConfigured(_("ALIPAY_ROOT_CERT has no certificate under RSA; paste alipayRootCert.crt."))
    return Certificates(serial_number(own[0]), root_sn, [_key_of(one, "ALIPAY_CERT") for one in theirs])


def _certificates(text: str, name: str) -> list[x509.Certificate]:
    try:
        found = [x509.load_pem_x509_certificate(pem.encode()) for pem in PEM.findall(text)]
    except ValueError:
        found = []
    if not found:
        raise ImproperlyConfigured(
            format_lazy(_("{name} holds no certificates that can be read; paste the .crt file."), name=name)
        )
    return found


def _key_of(certificate: x509.Certificate, name: str) -> rsa.RSAPublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ImproperlyConfigured(format_lazy(_("{name} holds a certificate that is not of an RSA key."), name=name))
    return key


def serial_number(certificate: x509.Certificate) -> str:
    """How Alipay calls a certificate: MD5 over its issuer's name, last part first, and its number in decimal."""
    parts = [f"{SHORT_NAMES.get(part.oid, part.oid.dotted_string)}={part.value!s}" for part in certificate.issuer]
    return hashlib.md5(f"{','.join(reversed(parts))}{certificate.serial_number}".encode()).hexdigest()  # noqa: S324


def root_serial_number(roots: Iterable[x509.Certificate]) -> str:
    """Of the roots that are signed with RSA, which are not all, their numbers joined by "_"."""
    by_rsa = [root for root in roots if root.signature_algorithm_oid.dotted_string.startswith("1.2.840.113549.1.1")]
    return "_".join(serial_number(root) for root in by_rsa)


def _blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _past(text: str, at: int, mark: str) -> int:
    at = _blanks(text, at)
    if text[at] != mark:
        raise ValueError(f"No {mark} there.")
    return _blanks(text, at + 1)
