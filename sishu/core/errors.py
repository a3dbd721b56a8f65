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


class NotAllowed(DomainError):
    """The person may not do this."""

    code = "not_allowed"
    status = 403


class Missing(DomainError):
    """No such thing, or not for this person: the two look the same from outside."""

    code = "not_found"
    status = 404


class Invalid(DomainError):
    """The request says something that cannot be."""

    code = "invalid"
    status = 422
