"""The present moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sishu.core import clock


def test_now_is_now_and_in_utc():
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)
