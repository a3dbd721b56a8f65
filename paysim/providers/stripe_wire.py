"""How Stripe is spoken to: nested form fields, error objects, lists in pages, ids that are expanded, keys that repeat."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from paysim.http import Answer, Asked

# How deep `expand` may go.
MAX_DEPTH = 4
# How long an answer is kept under its Idempotency-Key: at least a day, says Stripe.
KEY_LIFETIME = timedelta(hours=24)

Json = dict[str, Any]


class Problem(Exception):
    """An error as Stripe says it. `is_decided`: the request was carried out as far as this, so that its key keeps it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        is_decided: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.is_decided = status, is_decided
        said = {"code": code, "message": message, "param": param, "type": kind}
        self.error = {name: value for name, value in said.items() if value}
        if code:
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"

    def answer(self) -> Answer:
        return Answer.of_json({"error": self.error}, self.status, {"Request-Id": new_id("req")})


def new_id(prefix: str) -> str:
    """An id of Stripe's kind: letters and digits behind a prefix that says of what."""
    return f"{prefix}_{secrets.token_hex(12)}"


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def check_key(header: str, key: str) -> None:
    """Refuse an Authorization header that does not carry the merchant's key."""
    scheme, _, given = header.partition(" ")
    if scheme == "Basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if scheme not in ("Basic", "Bearer") or not given:
        raise Problem(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise Problem(f"Invalid API Key provided: {given[:8]}{'*' * 12}{given[-4:]}", status=401)


def read(asked: Asked) -> Json:
    """Query and form fields as one tree: `a[b][0]=1` is {"a": {"b": ["1"]}}. Raises Problem."""
    pairs = parse_qsl(urlsplit(asked.target).query, keep_blank_values=True)
    try:
        pairs += parse_qsl(asked.body.decode("utf-8"), keep_blank_values=True)
    except UnicodeDecodeError as error:
        raise Problem("Invalid request: the body is not UTF-8.") from error
    tree: Json = {}
    for name, value in pairs:
        steps = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if not steps:
            raise Problem(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        at = tree
        for step in steps[:-1]:
            at = at.setdefault(step, {})
            if not isinstance(at, dict):
                raise Problem(f"Invalid object: {name}", param=name)
        at[steps[-1] or str(len(at))] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    """Fields that are numbered from nought are a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    is_list = bool(inner) and list(inner) == [str(number) for number in range(len(inner))]
    return list(inner.values()) if is_list else inner


def check_names(said: Json, known: str) -> None:
    """Refuse parameters that an endpoint does not have. `known`: their names, apart."""
    for name in said:
        if name not in {*known.split(), "expand"}:
            raise Problem(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def need(said: Mapping[str, Any], name: str, within: str = "") -> Any:
    """A parameter that must be there."""
    if said.get(name) in (None, ""):
        param = f"{within}[{name}]" if within else name
        raise Problem(f"Missing required param: {param}.", code="parameter_missing", param=param)
    return said[name]


def whole(value: Any, param: str) -> int:
    """A parameter that is an integer."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,17}", value):
        raise Problem(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    return int(value)


def page(url: str, rows: list[Json], said: Json) -> Json:
    """One page of `rows`, which are newest first, as the parameters choose it."""
    limit = whole(said.get("limit", "10"), "limit")
    if not 1 <= limit <= 100:
        raise Problem("This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    chosen = [row for row in rows if _created_fits(row, said.get("created"))]
    ids = [row["id"] for row in chosen]
    if after := said.get("starting_after"):
        chosen = chosen[_place(ids, after, "starting_after") + 1 :]
    elif before := said.get("ending_before"):
        chosen = chosen[: _place(ids, before, "ending_before")]
        return {"object": "list", "data": chosen[-limit:], "has_more": len(chosen) > limit, "url": url}
    return {"object": "list", "data": chosen[:limit], "has_more": len(chosen) > limit, "url": url}


def _place(ids: list[str], cursor: Any, param: str) -> int:
    if cursor not in ids:
        raise Problem(f"No such object: '{cursor}'", code="resource_missing", param=param)
    return ids.index(cursor)


def _created_fits(row: Json, created: Any) -> bool:
    if created is None:
        return True
    bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__,
    }  # fmt: skip
    for name, value in bounds.items():
        if name not in tests:
            raise Problem(f"Received unknown parameter: created[{name}]", code="parameter_unknown", param="created")
        if not tests[name](row["created"], whole(value, f"created[{name}]")):
            return False
    return True


def expand(what: Json, said: Json, load: Callable[[Json, str], Any]) -> Json:
    """Put objects in the place of their ids where `expand` asks for it. `load` finds what stands at a field."""
    paths = said.get("expand") or []
    if not isinstance(paths, list):
        raise Problem("Invalid array", param="expand")
    for path in paths:
        if path.count(".") >= MAX_DEPTH:
            raise Problem(f"You cannot expand more than {MAX_DEPTH} levels of a property.", param="expand")
        _expand(what, path, load)
    return what


def _expand(what: Json, path: str, load: Callable[[Json, str], Any]) -> None:
    head, _, rest = path.partition(".")
    if what.get("object") == "list" and head == "data":
        for one in what["data"]:
            _expand(one, rest, load)
        return
    if not isinstance(what.get(head), dict):
        what[head] = load(what, head)
    if rest and isinstance(what[head], dict):
        _expand(what[head], rest, load)


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: str
    answer: Answer
    at: datetime


class Idempotency:
    """Answers by their Idempotency-Key. The caller lets one request in at a time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[str, _Kept] = {}

    def find(self, key: str, path: str, said: Json) -> Answer | None:
        """The answer that was given under this key. Problem when it was given to another request."""
        kept = self._kept.get(key)
        if not key or kept is None or self._now() - kept.at > KEY_LIFETIME:
            return None
        if kept.asked != self._text(path, said):
            raise Problem(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        headers = {**kept.answer.headers, "Idempotent-Replayed": "true"}
        return Answer(kept.answer.status, kept.answer.body, headers)

    def keep(self, key: str, path: str, said: Json, answer: Answer) -> None:
        """Give this answer to whoever repeats the request, be it an error."""
        if key:
            self._kept[key] = _Kept(self._text(path, said), answer, self._now())

    def _text(self, path: str, said: Json) -> str:
        return f"{path} {json.dumps(said, sort_keys=True)}"
