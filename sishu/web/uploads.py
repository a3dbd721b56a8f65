"""Pictures and files that come to the desk by the editor. Every refusal is a sentence in JSON, which the editor shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from sishu.accounts import selectors as people
from sishu.content import uploads
from sishu.core.errors import DomainError, Invalid, NotAllowed, NotSignedIn, TooLarge
from sishu.web import answers, media

# Room for the form around the largest picture and the largest file.
MAX_PICTURE_FORM_BYTES = 21 * 2**20
MAX_FILE_FORM_BYTES = uploads.MAX_FILE_BYTES + 2**20
SHOWN_WIDTH = 720

Upload = Callable[[HttpRequest, UploadedFile[Any]], dict[str, object]]


def accepts_upload(most: int) -> Callable[[Upload], Callable[..., HttpResponseBase]]:
    """A view that takes one `file` of a form of at most `most` bytes from somebody who may publish here."""

    def wrap(take: Upload) -> Callable[..., HttpResponseBase]:
        @never_cache
        @require_POST
        @wraps(take)
        def view(request: HttpRequest) -> HttpResponseBase:
            try:
                if why := people.why_not_publish(request.user):
                    raise NotAllowed(why) if request.user.is_authenticated else NotSignedIn(why)
                return answers.message(request, _("Kept."), 201, **take(request, sent_file(request, most)))
            except DomainError as error:
                return answers.problem(error.status, error, error.code)

        return view

    return wrap


def sent_file(request: HttpRequest, most: int) -> UploadedFile[Any]:
    """The file a form brings. Looks at the announced size before anything of it is read."""
    check_size(request, most)
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Invalid(_("No file arrived. Send it as the field “file” of a form."), code="file")
    return file


def check_size(request: HttpRequest, most: int) -> None:
    """TooLarge for a body that says it is beyond `most` bytes."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced[:12]) > most:
        raise TooLarge(_("This file is larger than %(most)d MB. Make it smaller.") % {"most": (most - 2**20) // 2**20})


@accepts_upload(MAX_PICTURE_FORM_BYTES)
def picture(request: HttpRequest, file: UploadedFile[Any]) -> dict[str, object]:
    """Keep a picture for a text."""
    kept = uploads.add_picture(request.user, file)  # type: ignore[arg-type]
    return {"id": kept.pk, "url": reverse("writing_image", args=[kept.pk]), "alt": kept.description}


@accepts_upload(MAX_FILE_FORM_BYTES)
def attachment(request: HttpRequest, file: UploadedFile[Any]) -> dict[str, object]:
    """Keep a file for a text."""
    kept = uploads.add_attachment(request.user, file)  # type: ignore[arg-type]
    return {"id": kept.pk, "url": reverse("attachment", args=[kept.pk]), "title": kept.title}


def shown(request: HttpRequest, key: int) -> HttpResponseBase:
    """A picture as the sheet shows it: for whoever may see it at its own address."""
    return media.picture(request, key, SHOWN_WIDTH)


urlpatterns = [
    path("writing/images", picture, name="writing_images"),
    path("writing/images/<key:key>", shown, name="writing_image"),
    path("writing/files", attachment, name="writing_files"),
]
