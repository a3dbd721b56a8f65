"""A scratch installation to measure: its own data folder, its own database, one work on sale, many readers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(*, database_url: str = "", settings: str = "config.settings.production") -> Iterator[Path]:
    """Point this process and its children at an empty installation, migrated; remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sishu-bench-"))
    os.environ.update(
        DJANGO_SETTINGS_MODULE=settings, DATA_DIR=str(folder), DATABASE_URL=database_url, SECRET_KEY="b" * 50,
        SANDBOX_SECRET="bench", SISHU_ALLOW_SANDBOX="1", GATEWAYS="sandbox", SITE_URL="http://127.0.0.1:8000",
        LOG_LEVEL="WARNING", DEBUG="0", STATIC_ROOT=str(folder / "static"),
    )  # fmt: skip
    (folder / "static").mkdir()
    try:
        for command in (["migrate"], ["createcachetable", "--database", "cache"], ["collectstatic", "--no-input"]):
            subprocess.run([sys.executable, "-m", "django", *command, "--verbosity", "0"], check=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(*, readers: int, price: int = 990) -> tuple[int, list[int]]:
    """One work on sale at `price` minor units and so many readers: (offer id, reader ids). Django must be set up."""
    from wagtail.models import Page

    from sishu.accounts.models import User
    from sishu.commerce import offers
    from sishu.core.money import Money

    names = [f"reader{n}" for n in range(readers)]
    User.objects.bulk_create(
        [User(username=n, username_key=n, email=f"{n}@example.org", password="!") for n in names], batch_size=500
    )
    author = User.objects.create_user("author", "author@example.org", password=None)
    page = Page.get_first_root_node().add_child(instance=Page(title="A work", slug="a-work"))
    offer = offers.price(page, Money(price, "CNY"), shares={author.pk: 9000})
    return offer.pk, list(
        User.objects.filter(username__startswith="reader").order_by("id").values_list("id", flat=True)
    )
