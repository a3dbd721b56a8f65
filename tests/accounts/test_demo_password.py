"""The demo's public password works only where everything is open anyway."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from sishu.accounts.signin import DEMO_PASSWORD
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("debug", "status"), [(True, 200), (False, 401)])
def test_a_demo_account_signs_in_only_while_debug_is_on(settings, debug: bool, status: int):
    settings.DEBUG = debug
    make_user("reader", password=DEMO_PASSWORD)
    answer = Client().post(
        "/login", {"login": "reader", "password": DEMO_PASSWORD}, headers={"accept": "application/json"}
    )
    assert answer.status_code == status


def test_nobody_may_choose_it():
    with pytest.raises(ValidationError) as refusal:
        validate_password(DEMO_PASSWORD)
    assert [error.code for error in refusal.value.error_list] == ["demo_password"]
