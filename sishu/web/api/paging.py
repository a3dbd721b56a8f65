"""Lists in pages that no client can make too large."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from ninja import Schema
from pydantic import Field

MAX_PER_PAGE = 100
MAX_PAGE = 10_000


class Paging(Schema):
    """Which page of a list, and how long it is. Beyond the end there is an empty page."""

    page: int = Field(1, ge=1, le=MAX_PAGE)
    per_page: int = Field(20, ge=1, le=MAX_PER_PAGE)

    @property
    def start(self) -> int:
        return (self.page - 1) * self.per_page

    def cut(self, rows: QuerySet[Any]) -> list[Any]:
        """The rows of this page."""
        return list(rows[self.start : self.start + self.per_page])

    def of(self, total: int) -> dict[str, int]:
        """What every page of a list says about itself."""
        return {"total": total, "page": self.page, "per_page": self.per_page}
