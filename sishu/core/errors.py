"""Refusals that a person should read."""

from __future__ import annotations


class DomainError(Exception):
    """A refusal by a rule of the house. `str()` is one translated sentence: the thing, the fact, the way out.

    `code` is stable for machines; `status` is the HTTP status a web layer answers with.
    """

    code = "refused"
    status = 409

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.status = status or self.status


class Unreadable(DomainError):
    """A body that is not what it says it is."""

    code = "unreadable"
    status = 400


class NotSignedIn(DomainError):
    """Who asks is not known."""

    code = "not_signed_in"
    status = 401


class NotAllowed(DomainError):
    """The person may not do this."""

    code = "not_allowed"
    status = 403


class Missing(DomainError):
    """No such thing, or not for this person: the two look the same from outside."""

    code = "not_found"
    status = 404


class TooLarge(DomainError):
    """A body beyond what any honest form sends."""

    code = "too_large"
    status = 413


class Invalid(DomainError):
    """The request says something that cannot be."""

    code = "invalid"
    status = 422


class TooMany(DomainError):
    """Too often in a short time; `wait` is the number of seconds until it makes sense to try again."""

    code = "too_many"
    status = 429

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
