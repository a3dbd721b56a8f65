"""Bearer tokens for programs: shown once, kept as a hash, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from sishu.accounts.models import ApiToken, User
from sishu.core import clock

MARK = "sishu_"  # lets secret scanners know our tokens when somebody commits one
SHOWN = 12
USE_IS_NOTED_EVERY = timedelta(minutes=1)


def issue(
    user: User, name: str, *, scope: str = ApiToken.Scope.READ, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token for a person's program. The second value is the secret, 256 bits; nobody can show it again."""
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, name=name, scope=scope, expires_at=expires_at, digest=digest(secret), prefix=secret[:SHOWN]
    )
    return token, secret


def find_token(secret: str) -> ApiToken | None:
    """The living token of this secret, with its user; None when there is none, or it ended, or the person is barred.

    Found by its hash: how long the search takes says nothing about the secrets of others.
    """
    moment = clock.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=moment), digest=digest(secret), revoked_at=None)
        .filter(user__is_active=True)
        .first()
    )
    if token is not None:
        _note_use(token, moment)
    return token


def revoke(token: ApiToken) -> None:
    """End a token now. It stays listed, so that its owner sees what it was."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
    token.refresh_from_db(fields=["revoked_at"])


def digest(secret: str) -> str:
    """The hash under which a secret is kept. Plain SHA-256 is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _note_use(token: ApiToken, moment: datetime) -> None:
    # A busy program must not write a row for each request.
    stale = Q(last_used_at=None) | Q(last_used_at__lt=moment - USE_IS_NOTED_EVERY)
    if ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=moment):
        token.last_used_at = moment
