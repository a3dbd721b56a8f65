"""A provider that wants keys: the sandbox's bank behind a merchant number, a secret, and secrets for notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from sishu.gateways.base import BadNotice, Notice
from sishu.gateways.sandbox import SandboxGateway

PATH = "tests.gateways.keyed.KeyedGateway"
SECRET, OTHER_SECRET, THIRD_SECRET = "secret-of-spring-0001", "secret-of-summer-0002", "secret-of-autumn-0003"


class KeyedGateway(SandboxGateway):
    """Says itself which key it misses, and takes several secrets for notices beside its own."""

    name = "keyed"

    def __init__(
        self, *, merchant_id: str, secret: str, notice_secrets: Sequence[str] = (), region: str = "home", url: str = ""
    ) -> None:
        super().__init__()
        if missing := [word for word, value in (("merchant_id", merchant_id), ("secret", secret)) if not value]:
            raise ImproperlyConfigured(f"The keyed gateway needs {', '.join(missing)}.")
        if not secret.startswith("secret-"):
            raise ImproperlyConfigured("The keyed gateway's secret begins with secret-; this one does not.")
        self.merchant_id, self.region, self.url = merchant_id, region, url
        self.key, self.merchant = secret.encode(), merchant_id
        self.notice_secrets = list(notice_secrets)

    def parse_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        for secret in self.notice_secrets:
            with suppress(BadNotice):
                return KeyedGateway(merchant_id=self.merchant_id, secret=secret).parse_notice(headers, body)
        return super().parse_notice(headers, body)


def entry(**options: Any) -> tuple[str, dict[str, Any]]:
    """The plug-in's line in the settings; what the environment does not set is empty there."""
    return PATH, {"merchant_id": "", "secret": "", "notice_secrets": [], "region": "home", "url": "", **options}
