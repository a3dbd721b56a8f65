"""What an estimator refuses, and why."""

from __future__ import annotations

UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


class InvalidInput(ValueError):
    """Data or a parameter that no right answer follows from. The message names the thing, the fact and the way out."""


class OverBudget(MemoryError):
    """A fit that would take more memory than it may: refused by its estimate, before any of it is taken."""

    def __init__(self, what: str, needed: int, allowed: int, way_out: str) -> None:
        self.needed, self.allowed = needed, allowed
        super().__init__(f"{what} would take about {_size(needed)}, and {_size(allowed)} is allowed. {way_out}")


def _size(count: int) -> str:
    unit, name = next(((unit, name) for unit, name in UNITS if count >= unit), (1, "bytes"))
    return f"{count / unit:.1f} {name}" if unit > 1 else f"{count} {name}"
