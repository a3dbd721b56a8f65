"""There is one way in, with its limits; the studio brings none of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account import views as allauth
from django.contrib.auth import views as django
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

from tests.factories import content as make
from tests.factories.accounts import PASSWORD, make_user
from tests.web.desk import settle

pytestmark = pytest.mark.django_db

# Views that let somebody in, or write to them so that they can come in.
DOORS = (
    django.LoginView,
    django.PasswordResetView,
    django.PasswordResetConfirmView,
    django.PasswordChangeView,
    allauth.LoginView,
    allauth.PasswordResetView,
    allauth.PasswordResetFromKeyView,
)
GUESSES = 40
FILLING = {"uidb64": "MQ", "token": "set-password", "uidb36": "1", "key": "set-password"}


def doors(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """The address of every such view, wherever it hangs in the tree."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from doors(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        elif pattern.name and issubclass(getattr(pattern.callback, "view_class", object), DOORS):
            arguments = {name: FILLING[name] for name in pattern.pattern.regex.groupindex}
            try:
                yield reverse(prefix + pattern.name, kwargs=arguments)
            except NoReverseMatch:  # of the other language
                continue


def test_no_door_can_be_knocked_at_for_ever():
    make.make_house()
    owner = make_user("owner1", "owner", verified=True)
    found = sorted(set(doors(get_resolver())))
    assert {"/login", "/password/forgot", "/studio/login/", "/studio/password_reset/"} <= set(found)
    names = {"login": owner.username, "username": owner.username, "email": owner.email}
    for address in found:
        client, mail.outbox[:] = Client(), []
        for guess in range(GUESSES):
            client.post(address, {**names, "password": f"wrong{guess}"})
        client.post(address, {**names, "password": PASSWORD})
        settle()
        assert "_auth_user_id" not in client.session, address
        assert len(mail.outbox) <= 20, address


def test_the_studio_sends_everybody_to_the_one_door(client: Client):
    make.make_house()
    assert client.get("/studio/", follow=True).redirect_chain[-1][0] == "/login?next=/studio/"
    assert client.get("/studio/login/?next=/studio/pages/")["Location"] == "/login?next=/studio/pages/"
    assert client.post("/studio/login/", {"username": "x", "password": "y"})["Location"] == "/login"
    for address in ("", "done/", "confirm/MQ/set-password/", "complete/"):
        assert client.get(f"/studio/password_reset/{address}").status_code == 404


def test_the_studio_changes_neither_address_nor_password(client: Client):
    make.make_house()
    shen = make.make_creator("shen")
    before = (shen.email, shen.password)
    client.force_login(shen)
    page = client.get("/studio/account/")
    assert page.status_code == 200
    fields: dict[str, Any] = {
        "name_email-first_name": "a", "name_email-last_name": "b", "name_email-email": "evil@evil.example",
        "password-old_password": "a long enough password", "password-new_password1": PASSWORD,
        "password-new_password2": PASSWORD, "locale-preferred_language": "en", "locale-current_time_zone": "UTC",
        "theme-theme": "system", "theme-contrast": "system", "theme-density": "default",
        "theme-keyboard_shortcuts": "on",
    }  # fmt: skip
    client.post("/studio/account/", fields)
    shen.refresh_from_db()
    assert (shen.email, shen.password) == before
    assert "name_email-email" not in page.content.decode()
