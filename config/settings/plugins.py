"""Every plug-in of the house, on one screen: kind → name → dotted path, or (dotted path, options)."""

import environ
from django.core.exceptions import ImproperlyConfigured

from config.settings.gateways import options
from sishu.core.plugins import Table

ALL: Table = {
    "fulfilment": {
        "access": ("sishu.commerce.fulfil.AccessFulfiller", {}),
    },
    "checks": {
        "empty": ("sishu.moderation.checks.EmptyCheck", {}),
        "short": ("sishu.moderation.checks.ShortCheck", {"least": 60}),
        "duplicate": ("sishu.moderation.checks.DuplicateCheck", {}),
    },
    "documents": {
        "statement_pdf": "sishu.web.statement_pdf.render",
    },
    "corpus": {
        "works": "sishu.content.corpus.same_text",
    },
}


def plugins(env: environ.Env, *, gateways: list[str]) -> Table:
    """The whole table with the gateways that this installation takes money through, in the order given."""
    known = options(env)
    if unknown := [name for name in gateways if name not in known]:
        raise ImproperlyConfigured(f"GATEWAYS names {', '.join(unknown)}; known: {', '.join(known)}.")
    return {**ALL, "gateways": {name: known[name] for name in gateways}}
