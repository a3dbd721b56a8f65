"""The cache of an installation without Redis."""

from __future__ import annotations

from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.db import router, transaction


class CountingDatabaseCache(DatabaseCache):
    """Django's, whose `incr` loses no count between processes, as Redis' loses none."""

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """As Django's: it reads and then writes, which the counters' file lets one process do at a time (IMMEDIATE)."""
        with transaction.atomic(using=router.db_for_write(self.cache_model_class)):
            return int(super().incr(key, delta, version))


def count(key: str, seconds: int) -> int:
    """How often this key was counted within `seconds` of the first time, this time included; over all processes."""
    try:
        return int(cache.incr(key))
    except ValueError:  # not counted yet
        return 1 if cache.add(key, 1, seconds) else int(cache.incr(key))
