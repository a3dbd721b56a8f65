"""The studio is read in English by these tests, whoever signs in; and who signs in has just done so with a password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import translation

from sishu.accounts.models import User


@pytest.fixture(autouse=True)
def _english(in_english: None) -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _by_password() -> Iterator[None]:
    """`force_login` writes into the session what allauth's sign-in does."""

    def record(request: HttpRequest, user: User, **_kwargs: object) -> None:
        record_authentication(request, user, "password")

    user_logged_in.connect(record)
    yield
    user_logged_in.disconnect(record)
