"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import caches

from sishu.ledger import check, journal, triggers


@pytest.fixture(autouse=True)
def _fresh_process_memory() -> Iterator[None]:
    """Tests roll databases back under the process: what it remembers of them goes too."""
    journal.forget_accounts()
    yield
    journal.forget_accounts()
    for cache in caches.all():
        cache.clear()


@pytest.fixture(autouse=True)
def _books_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every money test the books are recomputed from their transfers."""
    if "money" not in request.keywords or "broken_books" in request.keywords:
        yield
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    yield
    assert [str(fault) for fault in check.faults()] == []


@pytest.fixture
def transactional_db(transactional_db: None) -> Iterator[None]:
    """As pytest-django's, but the books' triggers step aside while the tables are emptied."""
    yield
    triggers.drop()
