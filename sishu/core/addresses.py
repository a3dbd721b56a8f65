"""Addresses that stay (ADR 0011). Lower packages write them into messages and texts, and cannot ask `web` for them."""

from __future__ import annotations

from django.conf import settings
from django.utils.encoding import iri_to_uri

VERIFY_EMAIL = "/verify-email"


def absolute(path: str) -> str:
    """A path with the site's name before it."""
    return f"{settings.SITE_URL}{iri_to_uri(path)}"


def picture(key: int, width: int) -> str:
    """A picture, drawn at one of the widths we make."""
    return f"/pictures/{key}/{width}"


def attachment(key: int) -> str:
    """A file that comes with a work."""
    return f"/files/{key}"


def webhook(gateway: str) -> str:
    """Where a provider's notices arrive."""
    return f"/webhooks/{gateway}"


def cashier(reference: str) -> str:
    """Where the sandbox takes play money."""
    return f"/cashier/{reference}"
