"""Every plug-in of the house, on one screen: kind → name → dotted path, or (dotted path, options)."""

from django.core.exceptions import ImproperlyConfigured

from sishu.core.plugins import Table

ALL: Table = {
    "gateways": {
        "sandbox": ("sishu.gateways.sandbox.SandboxGateway", {}),
    },
    "fulfilment": {
        "access": ("sishu.commerce.fulfil.AccessFulfiller", {}),
    },
    "checks": {
        "empty": ("sishu.moderation.checks.EmptyCheck", {}),
        "short": ("sishu.moderation.checks.ShortCheck", {"least": 60}),
        "duplicate": ("sishu.moderation.checks.DuplicateCheck", {}),
    },
    "corpus": {
        "works": "sishu.content.corpus.same_text",
    },
}


def plugins(*, gateways: list[str]) -> Table:
    """The whole table with the gateways that this installation takes money through, in the order given."""
    if unknown := [name for name in gateways if name not in ALL["gateways"]]:
        raise ImproperlyConfigured(f"GATEWAYS names {', '.join(unknown)}; known: {', '.join(ALL['gateways'])}.")
    return {**ALL, "gateways": {name: ALL["gateways"][name] for name in gateways}}
