"""Asking Alipay (OpenAPI 2, RSA2): signed requests, and answers that are believed only with a signature."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.gateways import alipay_signing as signing
from sishu.gateways.base import GatewayError

CHINA = timezone(timedelta(hours=8))
CHARSET = "utf-8"
OK = "10000"
# What is true is not known after these, and must be asked.
UNCLEAR = frozenset({"ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR"})
MAX_BILL_BYTES = 64 * 1024 * 1024
# Seconds to connect, and to wait for an answer.
TIMEOUT = (5.0, 15.0)
_CODE = re.compile(r"[A-Za-z0-9._-]{1,80}")


class Refusal(Exception):
    """Alipay's clear "no" to a request, by its `code`."""

    def __init__(self, code: str | Promise) -> None:
        super().__init__(code)
        self.code = code


class _NoRedirects(HTTPRedirectHandler):
    """Only the address that was signed is asked; where it leads on to is not."""

    def redirect_request(self, *_args: Any) -> Request | None:
        return None  # then the answer itself is the error


_opener = build_opener(_NoRedirects)


@dataclass(frozen=True, slots=True)
class AlipayClient:
    """One application at Alipay. `cert_sn`s are those of certificate mode, empty in key mode."""

    url: str
    app_id: str
    private_key: rsa.RSAPrivateKey = field(repr=False)
    public_keys: tuple[rsa.RSAPublicKey, ...]
    app_cert_sn: str = ""
    root_cert_sn: str = ""
    timeout: tuple[float, float] = TIMEOUT

    def signed(self, method: str, biz: Mapping[str, Any], **more: str) -> dict[str, str]:
        """All parameters of a request, with their signature."""
        parameters = {
            "app_id": self.app_id, "method": method, "format": "JSON", "charset": CHARSET, "sign_type": "RSA2",
            "timestamp": f"{clock.now().astimezone(CHINA):%Y-%m-%d %H:%M:%S}", "version": "1.0",
            "app_cert_sn": self.app_cert_sn, "alipay_root_cert_sn": self.root_cert_sn,
            "biz_content": json.dumps(biz, ensure_ascii=False), **more,
        }  # fmt: skip
        filled = {key: value for key, value in parameters.items() if value}
        return {**filled, "sign": signing.sign(self.private_key, signing.text_to_sign(filled))}

    def page(self, method: str, biz: Mapping[str, Any], **more: str) -> str:
        """The address of a page at Alipay; no call is made."""
        return f"{self.url}?{urlencode(self.signed(method, biz, **more))}"

    def call(self, method: str, biz: Mapping[str, Any], **more: str) -> dict[str, Any]:
        """What Alipay answers to a request. Raises Refusal for a clear no, GatewayError for anything unclear."""
        try:
            # In the body: what stands in an address stands in every log on the way. How to read the body stands before it.
            answer = requests.post(
                self.url, params={"charset": CHARSET}, data=self.signed(method, biz, **more), timeout=self.timeout,
                allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            raise GatewayError(
                _("Alipay did not answer {method}: {error}."), method=method, error=type(error).__name__
            ) from None
        if answer.status_code != 200:
            raise GatewayError(
                _("Alipay answered {method} with status {status}."), method=method, status=answer.status_code
            )
        return self._read(method, answer.content)

    def download(self, url: str) -> bytes:
        """A file that Alipay named in a signed answer. The file itself is not signed. Raises GatewayError, also where it moved."""
        (scheme, host), (own_scheme, own_host) = urlsplit(url)[:2], urlsplit(self.url)[:2]
        if scheme == "http" and (own_scheme == "https" or host != own_host):
            # Alipay names its own in the clear; nobody on the way shall write our bills.
            url, scheme = f"https{url[len(scheme) :]}", "https"
        if scheme not in ("http", "https") or not host:
            raise GatewayError(_("Alipay named a bill that lies at no address of the web."))
        try:
            # Not by requests, whose debug log would show the address, and with it the bill for half a minute.
            with _opener.open(url, timeout=self.timeout[1]) as answer:
                data: bytes = answer.read(MAX_BILL_BYTES + 1)
        except (URLError, HTTPException, OSError) as error:
            raise GatewayError(_("Alipay did not hand out a bill: {error}."), error=type(error).__name__) from None
        if len(data) > MAX_BILL_BYTES:
            raise GatewayError(_("Alipay handed out a bill of more than {limit} bytes."), limit=MAX_BILL_BYTES)
        return data

    def _read(self, method: str, content: bytes) -> dict[str, Any]:
        node = method.replace(".", "_") + "_response"
        try:
            found = signing.members(content.decode())
            if node not in found:
                # Of the gateway itself, and not always signed: nothing in it is acted upon.
                raise GatewayError(
                    _("Alipay did not take {method}: {code}."),
                    method=method,
                    code=_code_of(found.get("error_response")),
                )
            raw, said = found[node]
            signing.verify(self.public_keys, raw, str(found.get("sign", ("", ""))[1]))
        except (signing.Unsigned, UnicodeDecodeError) as error:
            raise GatewayError(_("What answered {method} is not believed: {why}"), method=method, why=error) from None
        if not isinstance(said, dict):
            raise GatewayError(_("Alipay answered {method} with something else than an object."), method=method)
        if said.get("code") == OK:
            return said
        code = _code_of((raw, said))
        # 20000 is Alipay's own trouble, 40004 a matter of business; what else there is, is a matter of our settings.
        if said.get("code") != "40004" or code in UNCLEAR:
            raise GatewayError(_("Alipay did not do {method}: {code}."), method=method, code=code)
        raise Refusal(code)


def _code_of(member: tuple[str, Any] | None) -> str | Promise:
    said = member[1] if member else {}
    code = str(said.get("sub_code") or said.get("code")) if isinstance(said, dict) else ""
    return code if _CODE.fullmatch(code) else _("no code")
