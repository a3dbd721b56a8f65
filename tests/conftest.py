"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from wagtail.models import Collection, Locale, Page

from sishu.core import plugins
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
def _data_dir(tmp_path: Path, settings) -> Iterator[None]:
    """Every test has a data folder, and so a sandbox bank, of its own."""
    settings.DATA_DIR = tmp_path
    plugins.load.cache_clear()
    yield
    plugins.load.cache_clear()


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
    """As pytest-django's, but the tree has its root again, and the books' triggers step aside for the emptying."""
    if not Page.objects.filter(depth=1).exists():
        Locale.objects.get_or_create(language_code="zh-hans")
        Page.add_root(instance=Page(title="Root", slug="root"))
        Collection.add_root(instance=Collection(name="Root"))
    yield
    triggers.drop()
