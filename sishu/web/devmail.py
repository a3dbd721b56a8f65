"""The mails a trying-out site would have sent, to be read in the browser. Only while DEBUG is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache

NEWEST = 50
# Django's file backend ends each message of a connection with a line of dashes.
BETWEEN = b"\n" + b"-" * 79


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as its reader would see it."""

    to: str
    subject: str
    date: datetime | None
    text: str


@never_cache
def mails(request: HttpRequest) -> HttpResponse:
    """The newest mails first."""
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if not settings.DEBUG or folder is None:
        raise Http404
    files = sorted(Path(folder).glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:NEWEST]
    return render(request, "devmail/mails.html", {"letters": [one for file in files for one in letters(file)]})


def letters(file: Path) -> list[Letter]:
    """The mails in one of the file backend's files."""
    return [_letter(part) for part in file.read_bytes().split(BETWEEN) if part.strip()]


def _moment(message: EmailMessage) -> datetime | None:
    """When it was written. What says -0000 is of no zone, and so of UTC."""
    moment: datetime | None = message["Date"].datetime if message["Date"] else None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _letter(raw: bytes) -> Letter:
    message = message_from_bytes(raw.strip(), _class=EmailMessage, policy=policy.default)
    body = message.get_body(("plain",))
    return Letter(str(message["To"]), str(message["Subject"]), _moment(message), body.get_content() if body else "")


urlpatterns = [path("dev/mail", mails, name="dev_mail")]
