"""Schemathesis makes up requests from the OpenAPI: nothing breaks, and every answer is one that was announced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sishu.accounts import tokens
from sishu.commerce import orders
from sishu.content.models import Category
from tests.factories.commerce import make_offer, make_paid_work, make_plan
from tests.factories.content import make_creator

pytestmark = pytest.mark.django_db

PROMISES = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SITE = WSGIHandler()


@pytest.fixture
def description(settings: Any) -> Iterator[Any]:
    """The API's own description of itself, over the wire, and no limit of pace."""
    settings.API_REQUESTS_PER_MINUTE = 10**6
    # The connection belongs to the test's transaction, as with Django's own client.
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", from_somewhere)
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def known() -> dict[str, Any]:
    """Path parameters that name something, of a creator whose token is `secret`."""
    creator = make_creator()
    Category.add_root(slug="rooms", name_zh="房间", name_en="Rooms")
    work = make_paid_work(creator)
    order = orders.place(creator, make_plan().pk, language="en")
    spare, _secret = tokens.issue(creator, "spare")
    _token, secret = tokens.issue(creator, "used", scope="write")
    named = {"work_id": work.pk, "offer_id": make_offer(work).pk, "number": order.number, "token_id": spare.pk}
    return {"secret": secret, "named": named}


def from_somewhere(environ: dict[str, Any], start_response: Any) -> Any:
    """The site, asked from an address: schemathesis has none."""
    return SITE({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


def examine(description: Any, headers: dict[str, str], named: dict[str, Any] | None = None) -> None:
    """Ask every operation for things that fit its description and things that do not."""
    for found in description.get_all_operations():
        operation = found.ok()
        asked = operation.as_strategy()
        if operation.path_parameters or operation.query or operation.body:
            asked |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @FEW
        @given(case=asked, hits=st.booleans())
        def ask(case: Any, hits: bool) -> None:
            if named and hits and case.path_parameters:
                case.path_parameters = {name: named.get(name, value) for name, value in case.path_parameters.items()}
            case.call_and_validate(checks=PROMISES, headers=headers)

        ask()


def test_a_stranger_finds_no_fault(description: Any, known: dict[str, Any]) -> None:
    examine(description, {})


def test_a_creator_finds_no_fault(description: Any, known: dict[str, Any]) -> None:
    examine(description, {"Authorization": f"Bearer {known['secret']}"}, known["named"])
