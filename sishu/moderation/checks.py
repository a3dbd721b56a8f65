"""The first checks: cheap rules that look at a work before a person spends time on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from sishu.core import plugins
from sishu.moderation.base import Finding, Severity, Subject

# How many works a refusal names.
MAX_MATCHES = 3


def look(subject: Subject) -> list[Finding]:
    """What all configured checks say, in the order of the settings."""
    return [finding for check in plugins.load_all("checks").values() for finding in check.look(subject)]


def describe(code: str, data: Mapping[str, Any]) -> str:
    """What a finding says, in the language of the moment. The bare code, when its check is not in the settings any more."""
    for check in plugins.load_all("checks").values():
        if code in check.sentences:
            return str(check.sentences[code]) % data
    return code


def refusals(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """What those findings say that send a subject back, in the language of the moment. Findings come as they are kept."""
    refusing = [finding for finding in findings if finding["severity"] == Severity.REFUSE]
    return [describe(finding["code"], finding["data"]) for finding in refusing]


class EmptyCheck:
    """Refuses a work without words."""

    name = "empty"
    sentences = {"empty": _("The work has no text yet. Write it, then submit it again.")}

    def look(self, subject: Subject) -> list[Finding]:
        if subject.words:
            return []
        return [Finding(Severity.REFUSE, "empty")]


class ShortCheck:
    """Refuses a work of fewer words than `least`; a Han character counts as a word."""

    name = "short"
    sentences = {
        "short": _("The work has %(words)d words; at least %(least)d are needed. Add to it, then submit it again.")
    }

    def __init__(self, least: int) -> None:
        self.least = least

    def look(self, subject: Subject) -> list[Finding]:
        if not 0 < subject.words < self.least:
            return []
        return [Finding(Severity.REFUSE, "short", {"words": subject.words, "least": self.least})]


class DuplicateCheck:
    """Refuses a work whose text already stands here under another name."""

    name = "duplicate"
    sentences = {
        "duplicate": _("The text is the same as that of “%(title)s”, which is already here. Submit a text of its own.")
    }

    def look(self, subject: Subject) -> list[Finding]:
        if not subject.digest:
            return []
        matches = [
            match
            for same_text in plugins.load_all("corpus").values()
            for match in same_text(subject.digest, subject.family)
        ]
        return [Finding(Severity.REFUSE, "duplicate", {"title": match.title}) for match in matches[:MAX_MATCHES]]
