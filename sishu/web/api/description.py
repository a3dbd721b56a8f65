"""What the API says about itself: ninja's OpenAPI, with the problem documents that every operation may answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import JSONRenderer

from sishu.web.api import auth

PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `code` is for programs, `detail` for people; `errors` holds what is wrong, by field.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "message"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}


class Description(OpenAPISchema):
    """The OpenAPI document, in the language of the moment."""

    def responses(self, operation: Operation) -> dict[int, dict[str, Any]]:
        found = super().responses(operation)
        for status in sorted(_refusals(operation) | {status for status in found if status >= 400}):
            found[status] = {
                "description": HTTPStatus(status).phrase,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        return found

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        found = super().operation_security(operation)
        return [*(found or []), {}] if auth.nobody in operation.auth_callbacks else found

    def get_components(self) -> dict[str, Any]:
        components = super().get_components()
        components["schemas"]["Problem"] = PROBLEM
        return components


class PlainRenderer(JSONRenderer):
    """JSON in which Chinese can be read."""

    json_dumps_params = {"ensure_ascii": False}


class DescribedAPI(NinjaAPI):
    """Ninja's API with our description."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        document = Description(self, path_prefix or self.get_root_path(path_params or {}))
        # Ninja also lists the types that only parameters come from.
        written, types = repr(document), document["components"]["schemas"]
        document["components"]["schemas"] = {name: one for name, one in types.items() if f"/{name}'" in written}
        _translate(document)
        return document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


def _refusals(operation: Operation) -> set[int]:
    """What any operation with this kind of input may refuse with."""
    sources = {model.__ninja_param_source__ for model in operation.models}
    found = {400, 429}
    if sources:
        found.add(422)
    if "body" in sources:
        found |= {413, 415}
    if operation.auth_callbacks:
        found.add(401)
        if not auth.SAFE.issuperset(operation.methods):
            found.add(403)
    return found


def _translate(part: Any) -> None:
    """Summaries and descriptions are marked where they are written, and spoken here."""
    if isinstance(part, list):
        for one in part:
            _translate(one)
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"summary", "description"} and isinstance(value, str) and value:
                part[key] = gettext(value)
            else:
                _translate(value)
