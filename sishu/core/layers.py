"""The house, from the roof to the ground. The import contract and the foreign-key test both read it from here."""

# A package may import those in the rows below its own; siblings of one row do not import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("web",),
    ("reactions",),
    ("analytics",),
    ("ads", "consulting", "community", "letters", "payouts", "recommender"),
    ("commerce",),
    ("content",),
    ("edge", "events", "ledger", "moderation", "provenance", "security"),
    ("accounts",),
    ("estimators", "gateways", "outbox", "jobs"),
    ("core",),
)


def rank(package: str) -> int:
    """How high a package stands: 0 is the ground. KeyError when it has no room yet."""
    for height, row in enumerate(reversed(LAYERS)):
        if package in row:
            return height
    raise KeyError(f"Package {package!r} has no layer in sishu/core/layers.py.")
