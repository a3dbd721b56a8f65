"""Oneself: signing up, the tokens of one's programs, what the house knows of one."""

from __future__ import annotations

from datetime import timedelta

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Path, Router, Status

from sishu.accounts import forms, selectors, signin, tokens
from sishu.accounts.models import ApiToken, User
from sishu.core import clock
from sishu.core.errors import Missing, NotSignedIn, TooMany
from sishu.web import joining
from sishu.web.api import auth, schemas
from sishu.web.api.problems import refusals

router = Router(tags=["me"], auth=auth.KNOWN)


@router.post(
    "/register",
    auth=None,
    response={201: schemas.Registered},
    summary=gettext_noop("Sign up"),
    description=gettext_noop(
        "The answer is the same when the address has an account already; its owner is told by mail."
    ),
)
def register(request: HttpRequest, asked: schemas.Registration) -> HttpResponseBase:
    # The page of the same name answers programs too, with the same rules and limits.
    response: HttpResponseBase = joining.Register.as_view()(request)
    return response


@router.post(
    "/tokens",
    auth=None,
    response={201: schemas.IssuedToken, refusals(401): None},
    summary=gettext_noop("Make a token with your password"),
    description=gettext_noop(
        "The only way for a program: neither a token nor a session can make tokens. A wrong name and a wrong password "
        "get the same answer, and after a few of them you have to wait."
    ),
)
def issue_token(request: HttpRequest, asked: schemas.AskToken) -> Status[schemas.IssuedToken]:
    user = _person_of(request, asked.login, asked.password)
    ends = clock.now() + timedelta(days=asked.days) if asked.days else None
    token, secret = tokens.issue(user, asked.name, scope=asked.scope, expires_at=ends)
    return Status(201, schemas.IssuedToken(**_describe(token).dict(), secret=secret))


@router.get("/me", response=schemas.Me, summary=gettext_noop("Read who you are"))
def read_me(request: HttpRequest) -> schemas.Me:
    user = auth.person(request)
    return schemas.Me(
        id=user.pk,
        username=user.username,
        name=user.name,
        email=user.email,
        is_email_verified=selectors.has_verified_email(user),
        language=user.language,
        may_publish=selectors.may_publish(user),
    )


@router.get("/me/tokens", response=schemas.TokenList, summary=gettext_noop("List your tokens"))
def list_tokens(request: HttpRequest) -> schemas.TokenList:
    own = ApiToken.objects.filter(user=auth.person(request)).order_by("-pk")
    return schemas.TokenList(items=[_describe(token) for token in own])


@router.delete(
    "/me/tokens/{token_id}",
    response={204: None, refusals(404): None},
    summary=gettext_noop("Revoke one of your tokens"),
)
def revoke_token(request: HttpRequest, token_id: Path[schemas.Id]) -> Status[None]:
    token = ApiToken.objects.filter(pk=token_id, user=auth.person(request)).first()
    if token is None:
        raise Missing(_("There is no such token among yours."))
    tokens.revoke(token)
    return Status(204, None)


def _person_of(request: HttpRequest, login: str, password: str) -> User:
    """Whose name and password these are, under the same limits as at the sign-in page."""
    form = forms.LoginForm(data={"login": login, "password": password}, request=request)
    if not ratelimit.consume(request, action="login"):
        raise TooMany(str(signin.TOO_MANY), wait=60)
    if form.is_valid():
        user: User = form.user
        return user
    if any(signin.is_limited(error) for found in form.errors.as_data().values() for error in found):
        raise TooMany(str(signin.TOO_MANY), wait=300)
    raise NotSignedIn(str(signin.NO_MATCH), code="no_match")


def _describe(token: ApiToken) -> schemas.Token:
    return schemas.Token(
        id=token.pk,
        name=token.name,
        prefix=token.prefix,
        scope=token.scope,  # type: ignore[arg-type]
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )
