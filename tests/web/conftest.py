"""What tests of the pages share."""

from __future__ import annotations

import pytest
from django.test import Client

from sishu.accounts.models import User


@pytest.fixture
def desk(client: Client, shen: User) -> Client:
    """A creator, signed in."""
    client.force_login(shen)
    return client
