"""What tests of the jobs share."""

from __future__ import annotations

import pytest

from tests.jobs import tasks


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    tasks.CALLS.clear()
