"""Plug-ins for tests: a corpus with one book in it, and a check that only remarks."""

from __future__ import annotations

from sishu.moderation.base import Finding, Match, Severity, Subject


def same_text(digest: str, family: str) -> list[Match]:
    return [Match("page:9", "从零记一本账")]


class Nagging:
    """A check that has something to say about every work, and refuses none."""

    name = "nagging"

    def look(self, subject: Subject) -> list[Finding]:
        return [Finding(Severity.NOTE, "nagging", f"Read {subject.title} twice.")]
