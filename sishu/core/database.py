"""What all packages want of the database beside their queries."""

from __future__ import annotations

from django.db.models import Model, QuerySet


def first_line(error: Exception) -> str:
    """What a driver says, without its advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip().rstrip(".:")


def delete_in_steps(rows: QuerySet[Model], step: int = 500) -> int:
    """Delete rows a handful at a time; how many went. One long DELETE would keep SQLite's single writer waiting."""
    count = 0
    while keys := list(rows.values_list("pk", flat=True)[:step]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        count += len(keys)
    return count
