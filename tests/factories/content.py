"""Works, and the house they stand in."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from wagtail.models import Page, TaskState

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.content import house, workflow
from sishu.content.models import ArticlePage, Attachment, Authorship, Picture

_numbers = count(1)
LONG_ENOUGH = "写复盘时，先把人名全部删掉，再看纸上还剩下多少原因。" * 6


def make_house() -> None:
    """The title pages, the permissions and the review."""
    house.ensure_house()
    workflow.ensure_workflow()


def make_person(username: str = "", *, role: str = "", **values: Any) -> User:
    """A person with a verified address, and a role if one is named."""
    username = username or f"person{next(_numbers)}"
    user = User.objects.create_user(username, f"{username}@example.org", "a long enough password", **values)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if role:
        roles.assign(user, role)
    return user


def make_creator(username: str = "") -> User:
    """Somebody invited to write here."""
    return make_person(username, role=roles.CREATOR)


def judge(
    page: Page, reviewer: User, action: str = "approve", comment: str = "", *, at: TaskState | None = None
) -> None:
    """Answer a page's review in the studio, as this person: "approve", or "reject" with a comment. `at` an older step."""
    state = at or Page.objects.get(pk=page.pk).current_workflow_task_state
    client = Client()
    client.force_login(reviewer)
    client.post(reverse("wagtailadmin_pages:workflow_action", args=[page.pk, action, state.pk]), {"comment": comment})


def prose(text: str) -> dict[str, Any]:
    """A raw text block."""
    return {"type": "prose", "value": text}


def paywall(tier: str = "PAID") -> dict[str, Any]:
    """A raw paywall block."""
    return {"type": "paywall", "value": {"tier": tier}}


def make_article(
    author: User | None = None,
    *,
    title: str = "",
    body: list[dict[str, Any]] | None = None,
    live: bool = True,
    locale: str = "zh-hans",
    **values: Any,
) -> ArticlePage:
    """A work in its author's room, published unless told otherwise. The house must stand."""
    author = author or make_creator()
    hub = house.ensure_hub(author, locale)
    number = next(_numbers)
    page = ArticlePage(
        title=title or f"第 {number} 篇",
        owner=author,
        locale=hub.locale,
        live=False,
        body=json.dumps(body if body is not None else [prose(f"{LONG_ENOUGH}{number}")]),
        **values,
    )
    hub.add_child(instance=page)
    Authorship.objects.create(page=page, user=author)
    revision = page.save_revision(user=author)
    if live:
        revision.publish()
    page.refresh_from_db()
    return page


def picture_bytes(width: int = 40, height: int = 30, format_: str = "PNG", color: str = "maroon") -> bytes:
    """The bytes of a small picture."""
    out = BytesIO()
    Image.new("RGB", (width, height), color).save(out, format_)
    return out.getvalue()


def make_picture(user: User | None = None, *, title: str = "picture", **size: int) -> Picture:
    """An uploaded picture."""
    file = ContentFile(picture_bytes(**size), name=f"{title}{next(_numbers)}.png")
    return Picture.objects.create(title=title, file=file, uploaded_by_user=user)


def make_attachment(user: User | None = None, *, title: str = "file", content: bytes = b"words") -> Attachment:
    """An uploaded file."""
    file = ContentFile(content, name=f"{title}{next(_numbers)}.txt")
    return Attachment.objects.create(title=title, file=file, uploaded_by_user=user)
