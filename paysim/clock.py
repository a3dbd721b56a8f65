"""The simulator's time: the machine's, moved on by hand where waiting would take too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock


class Clock:
    """Runs as the machine's clock does, `ahead` of it by what it was advanced."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._lock = Lock()

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> datetime:
        """Move on, never back. ValueError for negative seconds."""
        if seconds < 0:
            raise ValueError(f"The clock goes on, not back: {seconds} seconds.")
        with self._lock:
            self.ahead += timedelta(seconds=seconds)
        return self.now()
