"""The first checks: cheap rules that look at a work before a person spends time on it."""

from __future__ import annotations

from django.utils.translation import gettext

from sishu.core import plugins
from sishu.moderation.base import Finding, Severity, Subject


def look(subject: Subject) -> list[Finding]:
    """What all configured checks say, in the order of the settings."""
    return [finding for check in plugins.load_all("checks").values() for finding in check.look(subject)]


class EmptyCheck:
    """Refuses a work without words."""

    name = "empty"

    def look(self, subject: Subject) -> list[Finding]:
        if subject.words:
            return []
        return [Finding(Severity.REFUSE, "empty", gettext("The work has no text yet. Write it, then submit it again."))]


class ShortCheck:
    """Refuses a work of fewer words than `least`; a Han character counts as a word."""

    name = "short"

    def __init__(self, least: int) -> None:
        self.least = least

    def look(self, subject: Subject) -> list[Finding]:
        if not 0 < subject.words < self.least:
            return []
        message = gettext(
            "The work has %(words)d words; at least %(least)d are needed. Add to it, then submit it again."
        )
        return [Finding(Severity.REFUSE, "short", message % {"words": subject.words, "least": self.least})]


class DuplicateCheck:
    """Refuses a work whose text already stands here under another name."""

    name = "duplicate"

    def look(self, subject: Subject) -> list[Finding]:
        if not subject.digest:
            return []
        matches = [
            match
            for same_text in plugins.load_all("corpus").values()
            for match in same_text(subject.digest, subject.family)
        ]
        message = gettext(
            "The text is the same as that of “%(title)s”, which is already here. Submit a text of its own."
        )
        return [Finding(Severity.REFUSE, "duplicate", message % {"title": match.title}) for match in matches[:3]]
