"""Pictures and files of works. Each is asked for at one stable address, and each asking goes through the one door.

A picture on a live work is open to who may read the part it stands in. One that no live work shows is open to its
uploader, to those whose common work shows it, and to reviewers. For everybody else there is nothing at the address.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from typing import IO, Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from sishu.accounts import roles
from sishu.commerce import access
from sishu.content import coauthors
from sishu.content.models import Attachment, MediaUse, Picture
from sishu.content.models.media import WIDTHS
from sishu.content.paywall import Level
from sishu.web import pagecache

OPEN_TO_ALL = "public, max-age=3600"
# A file opened in the browser is a document of its own: it may load nothing and run nothing.
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
PIECE = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_safe
def picture(request: HttpRequest, key: int, width: int) -> HttpResponseBase:
    """A picture, drawn anew at one of a few widths."""
    found = get_object_or_404(Picture, pk=key)
    is_public = _ask(request, found)
    if width not in WIDTHS:
        raise Http404
    drawing = found.at(width)
    kind = mimetypes.guess_type(drawing.file.name)[0] or "application/octet-stream"
    return _guarded(FileResponse(drawing.file.open("rb"), content_type=kind), is_public=is_public)


@require_safe
def attachment(request: HttpRequest, key: int) -> HttpResponseBase:
    """A file to take away, whole or in part."""
    found = get_object_or_404(Attachment, pk=key)
    is_public = _ask(request, found)
    return _guarded(_in_part(request, found) or _whole(found), is_public=is_public)


def _ask(request: HttpRequest, upload: Picture | Attachment) -> bool:
    """Whether it is open to all. Raises Http404 for a reader to whom it is not open."""
    live = list(upload.media_uses.filter(page__live=True).select_related("page__articlepage"))
    if any(use.level == Level.PUBLIC and not use.page.articlepage.withdrawn_at for use in live):
        return True
    if not request.user.is_authenticated or not (
        any(_opens(request.user, use) for use in live)
        or upload.uploaded_by_user_id == request.user.pk
        or request.user.has_perm(roles.REVIEW_WORK)
        or coauthors.share(upload, request.user)
    ):
        raise Http404
    return False


def _opens(user: Any, use: MediaUse) -> bool:
    needed = Level.PAID if use.page.articlepage.withdrawn_at else use.level
    return access.level(user, use.page) >= needed


def _guarded(response: HttpResponseBase, *, is_public: bool) -> HttpResponseBase:
    response.headers["Cache-Control"] = OPEN_TO_ALL if is_public else pagecache.PRIVATE
    response.headers["Content-Security-Policy"] = FILE_POLICY
    if not is_public:
        patch_vary_headers(response, ("Cookie",))
    return response


def _whole(found: Attachment) -> FileResponse:
    response = FileResponse(found.file.open("rb"), as_attachment=True, filename=found.filename)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _in_part(request: HttpRequest, found: Attachment) -> HttpResponseBase | None:
    """The bytes a client asks for, to resume what broke off; None when it asks for all, or for several pieces."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or not any(asked.groups()):
        return None
    size = found.file.size
    first, last = asked.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = _whole(found)
    stream: Any = response.file_to_stream
    response.streaming_content = _pieces(stream, start, end - start + 1)
    response.status_code = 206
    response.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    response.headers["Content-Length"] = str(end - start + 1)
    return response


def _pieces(stream: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    with stream:
        stream.seek(start)
        while length > 0 and (piece := stream.read(min(PIECE, length))):
            length -= len(piece)
            yield piece


urlpatterns = [
    path("pictures/<key:key>/<int:width>", picture, name="picture"),
    path("files/<key:key>", attachment, name="attachment"),
]
