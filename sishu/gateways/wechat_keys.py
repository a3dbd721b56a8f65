"""The keys that WeChat Pay gave out, as an installation's settings hold them. What is wrong is named, and never shown."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


def check(cert_serial: str, api_v3_key: str, public_key: str, public_key_id: str) -> None:
    """Whether what goes with the keys fits them. Raises ImproperlyConfigured."""
    if not re.fullmatch(r"[0-9A-Fa-f]{8,40}", cert_serial):
        raise ImproperlyConfigured(
            _("WECHAT_CERT_SERIAL is the merchant certificate's serial: hexadecimal digits only.")
        )
    if len(api_v3_key.encode()) != 32:
        raise ImproperlyConfigured(_("WECHAT_API_V3_KEY is 32 characters long; this one is not."))
    if bool(public_key) != bool(public_key_id):
        raise ImproperlyConfigured(
            _("WECHAT_PUBLIC_KEY and WECHAT_PUBLIC_KEY_ID belong together: set both, or neither.")
        )
    if public_key_id and not re.fullmatch(r"PUB_KEY_ID_\w{1,64}", public_key_id):
        raise ImproperlyConfigured(_("WECHAT_PUBLIC_KEY_ID begins with PUB_KEY_ID_."))


def private_pem(text: str) -> str:
    """The merchant's key as PKCS#8, which alone the library reads. Raises ImproperlyConfigured."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ImproperlyConfigured(
            _("WECHAT_PRIVATE_KEY is no RSA key in PEM: put in the whole of apiclient_key.pem, or name the file with "
              "WECHAT_PRIVATE_KEY_FILE.")
        )  # fmt: skip
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(text: str) -> str:
    """WeChat's key as SubjectPublicKeyInfo; empty where none is set. Raises ImproperlyConfigured."""
    if not text:
        return ""
    try:
        key = load_pem_public_key(text.encode())
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ImproperlyConfigured(_("WECHAT_PUBLIC_KEY is no RSA key in PEM: put in the whole of pub_key.pem."))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificates_in(text: str) -> list[x509.Certificate]:
    """WeChat's certificates, one after another. Raises ImproperlyConfigured."""
    try:
        return x509.load_pem_x509_certificates(text.encode()) if text.strip() else []
    except ValueError:
        raise ImproperlyConfigured(_("WECHAT_PLATFORM_CERTS holds no certificates in PEM, or a damaged one.")) from None
