"""Each gateway's `parse_notice` beside bare `cryptography` over the same bytes, in one process."""

from __future__ import annotations

import base64
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import environ
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from django.utils.module_loading import import_string

from config.settings.gateways import options
from sishu.gateways.base import PaymentGateway
from tests import simulator
from tests.gateways.test_conformance import DRIVERS, begin, make_request

# Slices alternate, so that what else the machine does falls on both.
SLICES, SLICE_SECONDS = 10, 0.1
Verify = Callable[[], object]


def rsa(key: Any, signature: str, message: bytes) -> Verify:
    """SHA-256 with RSA, PKCS #1 v1.5."""
    raw = base64.b64decode(signature)
    return lambda: key.verify(raw, message, padding.PKCS1v15(), SHA256())


def hmac(key: bytes, signature: str, message: bytes) -> Verify:
    """HMAC with SHA-256, in hexadecimal."""
    raw = bytes.fromhex(signature)

    def verify() -> None:
        code = HMAC(key, SHA256())
        code.update(message)
        code.verify(raw)

    return verify


def of_sandbox(gateway: Any, headers: Mapping[str, str], body: bytes) -> Verify:
    message = f"{headers['Sandbox-Timestamp']}\n{headers['Sandbox-Nonce']}\n".encode() + body
    return hmac(gateway.key, headers["Sandbox-Signature"], message)


def of_wechat(gateway: Any, headers: Mapping[str, str], body: bytes) -> Verify:
    message = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n".encode() + body + b"\n"
    return rsa(gateway.client._public_key, headers["Wechatpay-Signature"], message)


def of_alipay(gateway: Any, headers: Mapping[str, str], body: bytes) -> Verify:
    said = dict(parse_qsl(body.decode()))
    message = "&".join(f"{key}={value}" for key, value in sorted(said.items()) if key not in ("sign", "sign_type"))
    return rsa(gateway.client.public_keys[0], said["sign"], message.encode())


def of_stripe(gateway: Any, headers: Mapping[str, str], body: bytes) -> Verify:
    said = dict(part.split("=", 1) for part in headers["Stripe-Signature"].split(","))
    return hmac(gateway.secrets[0].encode(), said["v1"], said["t"].encode() + b"." + body)


# What is verified, and how without us. A gateway of the settings that sends no notices stands here not at all.
BARE: dict[str, tuple[str, Callable[[Any, Mapping[str, str], bytes], Verify]]] = {
    "sandbox": ("HMAC-SHA256", of_sandbox),
    "alipay": ("RSA-2048", of_alipay),
    "wechat": ("RSA-2048, AES-256-GCM", of_wechat),
    "stripe": ("HMAC-SHA256", of_stripe),
}


def notice_of(sim: Any, name: str) -> tuple[PaymentGateway, Mapping[str, str], bytes]:
    """The gateway, and a notice about a payment that was made."""
    env = environ.Env()
    env.ENVIRON = sim.environment()
    path, values = options(env)[name]
    gateway, driver, request = import_string(path)(**values), DRIVERS[name](sim), make_request()
    begin(gateway, driver, request)
    driver.pay(gateway, request.reference)
    headers, body = driver.notice(gateway, request.reference)
    assert gateway.parse_notice(headers, body).reference == request.reference
    return gateway, headers, body


def per_second(tasks: Mapping[str, Verify]) -> dict[str, float]:
    """How often each is done in a second: the median of its slices."""
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(SLICES):
        for name, task in tasks.items():
            done, began = 0, time.process_time()
            while (used := time.process_time() - began) < SLICE_SECONDS:
                task()
                done += 1
            found[name].append(done / used)
    return {name: statistics.median(rates) for name, rates in found.items()}


def rows() -> Iterator[dict[str, Any]]:
    with simulator.running() as sim:
        for name in [name for name in options(environ.Env()) if name in BARE and name in DRIVERS]:
            gateway, headers, body = notice_of(sim, name)
            kind, bare = BARE[name]
            ours = partial(gateway.parse_notice, headers, body)
            rates = per_second({"ours": ours, "bare": bare(gateway, headers, body)})
            common = {"kind": kind, "bytes": len(body)}
            yield {
                "case": f"{name}: parse_notice", **common, "per_cpu_s": round(rates["ours"]),
                "us": round(1e6 / rates["ours"], 1), "times_bare": round(rates["bare"] / rates["ours"], 2),
            }  # fmt: skip
            yield {
                "case": f"baseline: {name}, the signature by bare cryptography", **common,
                "per_cpu_s": round(rates["bare"]), "us": round(1e6 / rates["bare"], 1), "times_bare": 1,
            }  # fmt: skip


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row), flush=True)
