"""People for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from sishu.accounts import addresses, roles
from sishu.accounts.models import User

PASSWORD = "ink-stone-and-brush"
_numbers = count(1)


def make_user(
    username: str = "", *held_roles: str, verified: bool = False, password: str = PASSWORD, **fields: Any
) -> User:
    """A person with these roles: make_user("shen", "creator", verified=True)."""
    username = username or f"reader{next(_numbers)}"
    fields.setdefault("email", f"{username}@example.org")
    user = User.objects.create_user(username, password=password, **fields)
    for role in held_roles:
        roles.assign(user, role)
    if verified:
        addresses.trust(user)
    return user
