"""The generation of what everybody sees: one number that changes when a work is published, withdrawn or priced.

Everything kept in a process's memory about live pages carries it in its key, so a new generation forgets the old one.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.conf import settings
from django.core.cache import caches

_KEY = "generation"


def current() -> int:
    """The generation now: one `stat` of a file, or one read of the shared cache when there is one."""
    if settings.CACHE_URL:
        return int(caches["default"].get(_KEY, 0))
    try:
        return os.stat(settings.PAGE_CACHE_GENERATION_FILE).st_mtime_ns
    except FileNotFoundError:
        return 0


def touch() -> None:
    """Begin a new generation, in every process at once. Call it after the change is committed."""
    if settings.CACHE_URL:
        caches["default"].set(_KEY, time.time_ns(), timeout=None)
        return
    path = Path(settings.PAGE_CACHE_GENERATION_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    # File systems stamp with a coarse clock: two changes within one of its ticks must still be two generations.
    now = time.time_ns()
    os.utime(path, ns=(now, now))
