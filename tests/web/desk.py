"""What tests of the writer's desk share."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from sishu.commerce.models import Offer
from sishu.content import dialect, writing
from sishu.content.models import ArticlePage
from sishu.jobs import runner
from sishu.reactions.worker import deliver_due
from tests.factories import content as make

TEXT = make.LONG_ENOUGH
SOLD = dialect.to_markdown([make.prose(TEXT), make.paywall("PAID"), make.prose("付费的部分。")])
WORK = {"title": "复盘", "body": TEXT}


def send(client: Client, path: str, data: Any, **headers: str) -> Any:
    body = data if isinstance(data, bytes) else json.dumps(data)
    return client.post(path, body, content_type="application/json", headers=headers)


def work() -> ArticlePage:
    return ArticlePage.objects.get()


def form(page: ArticlePage, **changes: object) -> dict[str, object]:
    """What a browser sends back of an untouched sheet."""
    values, version = writing.latest_values(page)
    fields: dict[str, object] = {
        "title": values.title, "summary": values.summary, "body": values.markdown, "tags": ", ".join(values.tags),
        "category": values.category_id or "", "cover_id": values.cover_id or "", "version": version, "do": "save",
    }  # fmt: skip
    return fields | changes


def settle() -> None:
    """Let the worker do what is due."""
    for _round in range(4):
        deliver_due()
        runner.run_due()


def sell(page: ArticlePage, price: str = "9.90") -> Offer:
    owner = Client()
    owner.force_login(page.owner)
    assert owner.post(f"/edit/{page.pk}", form(page, price=price)).status_code == 302
    return Offer.objects.get(is_open=True)
