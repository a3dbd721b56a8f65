"""Every plug-in of the house, on one screen: kind → name → dotted path, or (dotted path, options)."""

from sishu.core.plugins import Table

PLUGINS: Table = {
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
