"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import Client
from wagtail.models import Collection, Locale, Page

from paysim.faults import Fault, FaultKind
from paysim.simulator import Simulator
from sishu.accounts.models import User
from sishu.core import clock, plugins
from sishu.ledger import check, journal, triggers
from tests.factories.content import make_creator, make_house
from tests.simulator import running, use


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """InnoDB's full-text index sees committed rows only: there, tests that search commit."""
    for item in items:
        if connection.vendor == "mysql" and "full_text" in item.keywords:
            item.fixturenames.insert(0, "transactional_db")


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


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime | None], None]:
    """Stops the house's clock at a moment, until it is set again: `set_clock(moment)`. None lets it run."""
    running = clock.now

    def set_to(moment: datetime | None) -> None:
        monkeypatch.setattr(clock, "now", (lambda: moment) if moment else running)

    return set_to


@pytest.fixture
def simulator(settings) -> Iterator[Simulator]:
    """A payment simulator that runs, and through which the house takes money."""
    with running() as sim:
        use(sim, *sim.providers)
        plugins.load.cache_clear()
        yield sim


@pytest.fixture
def fault(simulator: Simulator) -> Callable[..., None]:
    """Something goes wrong at the provider: `fault(kind, value, times=1)`."""

    def arm(kind: str, value: int | str = 0, times: int = 1) -> None:
        simulator.faults.add(Fault(FaultKind(kind), "", value, times))

    return arm


@pytest.fixture(autouse=True)
def _books_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every money test the books are recomputed from their transfers."""
    if "money" not in request.keywords or "broken_books" in request.keywords:
        yield
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    yield
    assert [str(fault) for fault in check.faults()] == []


@receiver(post_migrate, sender=apps.get_app_config("commerce"))
def _bring_back_what_migrations_wrote(**_kwargs: object) -> None:
    """A transactional test ends by emptying all tables; Wagtail's first rows came with its migrations, once.

    Sent by the first app of the settings that has models: the roles, synced after the last, find the permission.
    """
    if Page.objects.filter(depth=1).exists():
        return
    Locale.objects.get_or_create(language_code="zh-hans")
    Page.add_root(instance=Page(title="Root", slug="root"))
    Collection.add_root(instance=Collection(name="Root"))
    kind, _made = ContentType.objects.get_or_create(app_label="wagtailadmin", model="admin")
    Permission.objects.get_or_create(
        content_type=kind, codename="access_admin", defaults={"name": "Can access Wagtail admin"}
    )


@pytest.fixture
def house(db: None) -> None:
    """The title pages, the permissions and the review stand."""
    make_house()


@pytest.fixture
def shen(house: None) -> User:
    """Somebody who writes in the house."""
    return make_creator("shen")


@pytest.fixture
def in_english(client: Client) -> None:
    """The client of this test reads English, whoever signs in."""
    client.cookies[site.LANGUAGE_COOKIE_NAME] = "en"


@pytest.fixture
def transactional_db(transactional_db: None) -> Iterator[None]:
    """As pytest-django's, but the books' triggers step aside while the tables are emptied."""
    yield
    triggers.drop()
