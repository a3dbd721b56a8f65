"""Signed-in readers, and what they send."""

from __future__ import annotations

import json
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils.crypto import get_random_string

from bench.inside.load import Post
from sishu.accounts.models import User
from sishu.core import clock


def sign_in(user_ids: list[int]) -> list[str]:
    """A cookie for each, with a session as `force_login` makes it: no password is hashed."""
    store, ends_at = SessionStore(), clock.now() + timedelta(days=1)
    sessions = [
        Session(session_key=get_random_string(32), session_data=store.encode(_session_of(user)), expire_date=ends_at)
        for user in User.objects.filter(pk__gte=min(user_ids), pk__lte=max(user_ids))
    ]
    Session.objects.bulk_create(sessions, batch_size=500)
    return [f"{settings.SESSION_COOKIE_NAME}={one.session_key}" for one in sessions]


def order(offer_id: int, cookie: str, *, port: int = 80, gateway: str = "sandbox") -> Post:
    """POST /payment by a reader with that cookie, to the server at that port."""
    origin = "http://127.0.0.1" if port == 80 else f"http://127.0.0.1:{port}"
    body = json.dumps({"offer": offer_id, "gateway": gateway}).encode()
    return Post("/payment", body, {"Cookie": cookie, "Origin": origin, "Content-Type": "application/json"})


def _session_of(user: User) -> dict[str, str]:
    return {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
