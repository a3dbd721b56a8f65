"""What a check sees, and what it may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    REFUSE = "refuse", _("refuse")
    NOTE = "note", _("note")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to look at. `family` is shared by the versions and translations of one work: they may repeat each other."""

    ref: str
    family: str
    title: str
    text: str
    words: int
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An automatic opinion, in no language. REFUSE sends the subject back; NOTE is for the person who judges."""

    severity: Severity
    code: str
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept."""
        return {"severity": self.severity.value, "code": self.code, "data": self.data}


@dataclass(frozen=True, slots=True)
class Match:
    """Something that is already here, found by a corpus plug-in."""

    ref: str
    title: str


class Check(Protocol):
    """A plug-in of the kind "checks"."""

    name: str
    # What each code of its findings says, translated when it is read; the names in it are those of the finding's data.
    sentences: Mapping[str, object]

    def look(self, subject: Subject) -> list[Finding]: ...


class Corpus(Protocol):
    """A plug-in of the kind "corpus": what stands published with this digest, outside this family."""

    def __call__(self, digest: str, family: str) -> list[Match]: ...
