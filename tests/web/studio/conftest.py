"""The studio is read in English by these tests, whoever signs in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _english(in_english: None) -> Iterator[None]:
    with translation.override("en"):
        yield
