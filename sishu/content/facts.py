"""What happens to works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkSubmitted:
    """A work was handed in for review."""

    page_id: int


@dataclass(frozen=True, slots=True)
class WorkWaits:
    """The rules let a submitted work through: it waits for a person."""

    page_id: int


@dataclass(frozen=True, slots=True)
class WorkRejected:
    """A step of review sent a work back; its task state says why."""

    page_id: int
    task_state_id: int


@dataclass(frozen=True, slots=True)
class WorkApproved:
    """A review ended well."""

    page_id: int


@dataclass(frozen=True, slots=True)
class PagePublished:
    """A page went live, or a live page got a new version."""

    page_id: int


@dataclass(frozen=True, slots=True)
class PageUnpublished:
    """A page is no longer to be seen."""

    page_id: int


@dataclass(frozen=True, slots=True)
class WorkWithdrawn:
    """A work left the shelves, or came back to them (`is_withdrawn` False); owners keep reading it."""

    page_id: int
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class CoauthorInvited:
    """Somebody was asked to write a work with its authors."""

    invitation_id: int


@dataclass(frozen=True, slots=True)
class CoauthorJoined:
    """Somebody accepted to write a work with its authors."""

    invitation_id: int
