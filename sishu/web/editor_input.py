"""What a writer may send, from a form or as JSON, and nothing else: whoever sends an author or a status is not heard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from sishu.content.models import Category
from sishu.core import languages
from sishu.core.errors import Invalid
from sishu.core.ids import parse_id
from sishu.core.money import parse_decimal, parse_fixed

SHARE = "share_"
_BETWEEN_TAGS = re.compile(r"[,，、;；\n]")
_DECIMAL = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_YES = {"on", "true", "1", "yes"}

Data = QueryDict | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message from a writer. What was not sent is not in `changes`, and stays as it is."""

    changes: dict[str, Any] = field(default_factory=dict)  # by the names of DraftValues
    price: str | None = None  # as typed; "" takes the work off sale
    shares: dict[int, str] = field(default_factory=dict)  # user id → percent as typed
    version: int | None = None
    language: str = ""
    begun: str = ""  # names one opening of an empty sheet
    action: str = ""


def read(data: Data) -> Sent:
    """The writer's message in a form or a JSON object. Invalid, with the field as its code, for what cannot be read."""
    return Sent(
        changes=_changes(data),
        price=_price(data),
        shares=_shares(data),
        version=whole(data, "version"),
        language=_language(data),
        begun=(_text(data, "begun") or "")[:64],
        action=_action(data),
    )


def money(text: str) -> int:
    """Minor units of a price as people write it: 9.90, ¥1,200, ９．９. Invalid for anything else."""
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("¥$€£").strip()
    try:
        if not _DECIMAL.fullmatch(plain):
            raise ValueError
        return parse_decimal(plain, settings.CURRENCY)
    except ValueError:
        message = _("“%(price)s” is not a price. Write it like 9.90, or leave it empty.")
        raise Invalid(message % {"price": text[:40]}, code="price") from None


def percent(text: str) -> int:
    """Basis points of a percentage as people write it: 70, 33.3 %. Invalid for anything else."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("%").strip()
    try:
        if not _DECIMAL.fullmatch(plain or "0"):
            raise ValueError
        return parse_fixed(plain or "0", digits=2)
    except ValueError:
        message = _("“%(text)s” is not a percentage. Write it like 70 or 33.33.")
        raise Invalid(message % {"text": text[:40]}, code="shares") from None


def whole(data: Data, name: str) -> int | None:
    """An id or a count as a client may write it; None for nothing. Invalid for what no database counts to."""
    value = data.get(name)
    if value is None or value == "":
        return None
    try:
        return parse_id(value)
    except ValueError as error:
        raise Invalid(_("“%(name)s” is not a whole number.") % {"name": name}, code=name) from error


def _changes(data: Data) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in ("title", "summary"):
        if (text := _text(data, name)) is not None:
            changes[name] = text
    body = _text(data, "body")
    body = _text(data, "content") if body is None else body
    if body is not None:
        changes["markdown"] = body
    if "category" in data:
        changes["category_id"] = _category(data)
    if "tags" in data:
        changes["tags"] = _tags(data)
    if "cover" in data or "cover_id" in data:
        changes["cover_id"] = whole(data, "cover_id") or whole(data, "cover")
    if _flag(data, "drawn_cover"):
        changes["cover_id"] = None
    return changes


def _text(data: Data, name: str) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(_("“%(name)s” is not text. Send it as a string.") % {"name": name}, code=name)
    return value


def _flag(data: Data, name: str) -> bool:
    value = data.get(name)
    return value is True or (isinstance(value, str) and value.lower() in _YES)


def _category(data: Data) -> int | None:
    """By its id, or by the word in its address."""
    value = data.get("category")
    if value is None or value == "":
        return None
    if isinstance(value, str) and not value.isdecimal():
        found = Category.objects.filter(slug=value[:80]).first()
        if found is None:
            raise Invalid(_("There is no category “%(name)s”.") % {"name": value[:80]}, code="category")
        return int(found.pk)
    return whole(data, "category")


def _tags(data: Data) -> tuple[str, ...]:
    value = data.get("tags")
    if value is None:
        return ()
    words = _BETWEEN_TAGS.split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Invalid(_("“tags” is neither a list of words nor words with commas between them."), code="tags")
    return tuple(word for word in words if word.strip())


def _price(data: Data) -> str | None:
    """A JSON client may send a number; null takes the work off sale."""
    if "price" not in data:
        return None
    value = data.get("price")
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid(_("“price” is not an amount. Send it like 9.90."), code="price")
    return str(value).strip()


def _shares(data: Data) -> dict[int, str]:
    """Only what the form's own fields say; a JSON client's payees are not read."""
    if not isinstance(data, QueryDict):
        return {}
    found = {name.removeprefix(SHARE): value for name, value in data.items() if name.startswith(SHARE)}
    return {int(key): str(value) for key, value in found.items() if key.isascii() and key.isdigit() and len(key) < 19}


def _language(data: Data) -> str:
    asked = _text(data, "language") or ""
    if not asked:
        return ""
    if code := languages.find(asked):
        return code
    known = ", ".join(code for code, _label in settings.LANGUAGES)
    message = _("This house does not publish in “%(language)s”; it does in: %(known)s.")
    raise Invalid(message % {"language": asked[:20], "known": known}, code="language")


def _action(data: Data) -> str:
    """What the pressed button said; a program says `draft` or `submit`."""
    if isinstance(data, QueryDict):
        return data.get("do") or "save"
    if _flag(data, "draft"):
        return "save"
    return "submit" if _flag(data, "submit") else ""


def as_typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they were typed, to show them again beside what is wrong with them."""
    names = ("title", "summary", "body", "tags", "price", "category", "cover_id", "begun", "version")
    return {name: data.get(name) for name in names if isinstance(data.get(name), str)}
