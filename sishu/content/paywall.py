"""Where a work stops for a reader: the levels, and the cut."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StreamValue

PAYWALL = "paywall"


class Level(models.IntegerChoices):
    """How far a reader may read. The order is the meaning: PUBLIC < SIGNED_IN < PAID."""

    PUBLIC = 0, _("Public")
    SIGNED_IN = 1, _("Open to signed-in readers")
    PAID = 2, _("Open to those who paid")


TIERS = (Level.SIGNED_IN, Level.PAID)
ORDER_MESSAGE = _(
    "Each paywall may stand once, and the one for signed-in readers comes first. Take out or move one of them."
)


def tier_of(block: dict[str, Any]) -> Level | None:
    """The level a raw paywall block asks for; None for any other block. A paywall nobody can read asks for PAID."""
    if block["type"] != PAYWALL:
        return None
    value = block.get("value")
    name = value.get("tier") if isinstance(value, dict) else None
    return Level.SIGNED_IN if name == Level.SIGNED_IN.name else Level.PAID


def cut(stream: StreamValue, level: int) -> tuple[StreamValue, Level | None]:
    """What a reader of `level` may see, and the level that the first closed paywall asks for (None: all is open).

    Works on raw data, so that nothing behind the paywall is even converted.
    """
    raw = list(stream.raw_data)
    for index, block in enumerate(raw):
        tier = tier_of(block)
        if tier is not None and tier > level:
            return StreamValue(stream.stream_block, raw[:index], is_lazy=True), tier
    return stream, None


def needed_level(raw: list[dict[str, Any]]) -> Level:
    """The level that opens the whole of a body: its highest tier, PUBLIC if it has none."""
    return max((tier for block in raw if (tier := tier_of(block)) is not None), default=Level.PUBLIC)
