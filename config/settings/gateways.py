"""What each payment gateway is made with: its keys and addresses, from the environment."""

from __future__ import annotations

from typing import Any

import environ


def options(env: environ.Env) -> dict[str, tuple[str, dict[str, Any]]]:
    """Gateway → (dotted path, options). A gateway that misses a key says so itself, when it is made."""
    return {
        "sandbox": ("sishu.gateways.sandbox.SandboxGateway", {}),
    }
