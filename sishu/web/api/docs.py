"""The API's page for people: the OpenAPI document, printed. No script, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext_lazy
from ninja import NinjaAPI

from sishu.web import context

NOUNS = {
    "works": gettext_lazy("Works"),
    "offers": gettext_lazy("Offers"),
    "orders": gettext_lazy("Orders"),
    "entitlements": gettext_lazy("What one bought"),
    "me": gettext_lazy("Oneself"),
    "writing": gettext_lazy("Writing"),
}
PLACES = {"path": gettext_lazy("in the address"), "query": gettext_lazy("in the query")}
REFERENCE = "#/components/schemas/"
LARGE = 2**31  # a bound beyond it is there for databases, not for people


@dataclass(frozen=True, slots=True)
class Field:
    """A name, what it holds, and the type it leads to if that has a table of its own."""

    name: str
    holds: str
    refers: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address."""

    method: str
    path: str
    name: str
    summary: str
    description: str
    for_strangers: bool
    for_known: bool
    parameters: tuple[Field, ...]
    sends: str
    answers: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """One kind of object that is sent or answered."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """All there is to print."""

    chapters: tuple[tuple[str, Any, tuple[Endpoint, ...]], ...]
    types: tuple[Type, ...]


def page_of(api: NinjaAPI) -> Callable[[HttpRequest], HttpResponse]:
    """The view that shows this API."""

    def page(request: HttpRequest) -> HttpResponse:
        book = context.per_generation(f"api-docs:{get_language()}", partial(print_book, api))
        return render(request, "api/docs.html", {"book": book, "nouns": NOUNS})

    return page


def print_book(api: NinjaAPI) -> Book:
    """An API's OpenAPI document as chapters and types."""
    document = api.get_openapi_schema()
    endpoints: dict[str, list[Endpoint]] = {noun: [] for noun in NOUNS}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            endpoints[operation["tags"][0]].append(_endpoint(method.upper(), path, operation))
    types = document["components"]["schemas"]
    return Book(
        chapters=tuple((noun, str(title), tuple(endpoints[noun])) for noun, title in NOUNS.items()),
        types=tuple(Type(name, tuple(_fields(types[name]))) for name in sorted(types)),
    )


def _endpoint(method: str, path: str, operation: dict[str, Any]) -> Endpoint:
    security = operation.get("security", [])
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Endpoint(
        method=method,
        path=path,
        name=operation["operationId"],
        summary=operation["summary"],
        description=operation.get("description", ""),
        for_strangers=not security or {} in security,
        for_known=bool(security),
        parameters=tuple(
            _field(one["name"], one["schema"], one["required"], one["in"]) for one in operation["parameters"]
        ),
        sends=_refers(body),
        answers=tuple(
            (str(status), _refers(answer.get("content", {}).get("application/json", {}).get("schema", {})))
            for status, answer in operation["responses"].items()
            if status < 400
        ),
        refusals=tuple(str(status) for status in sorted(operation["responses"]) if status >= 400),
    )


def _fields(schema: dict[str, Any]) -> Iterator[Field]:
    required = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        yield _field(name, one, name in required)


def _field(name: str, schema: dict[str, Any], is_required: bool, place: str = "") -> Field:
    description = schema.get("description", "") or str(PLACES.get(place, ""))
    return Field(name, _holds(schema), _refers(schema), is_required, description)


def _holds(schema: dict[str, Any]) -> str:
    """A type in few signs: `string ≤ 80`, `Offer[]`, `"read" | "write"`, `integer ≥ 1 | null`."""
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REFERENCE))
    if "anyOf" in schema:
        return " | ".join(_holds(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("type") == "array":
        items = _holds(schema.get("items", {}))
        return f"({items})[]" if " " in items else f"{items}[]"
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return f"{{…: {_holds(schema['additionalProperties'])}}}"
    parts = [str(schema.get("format") or schema.get("type", ""))]
    least = schema.get("minimum", schema.get("minLength"))
    most = schema.get("maximum", schema.get("maxLength"))
    most = most if most is not None and most < LARGE else None
    if least is not None and most is not None:
        parts.append(f"{least}…{most}")
    elif least is not None:
        parts.append(f"≥ {least}")
    elif most is not None:
        parts.append(f"≤ {most}")
    return " ".join(parts)


def _refers(schema: dict[str, Any]) -> str:
    for one in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"].removeprefix(REFERENCE))
    return ""
