"""Taking in pictures and files at the writer's page. The studio's own forms end in the same models."""

from __future__ import annotations

from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import UnidentifiedImageError
from wagtail.images.fields import WagtailImageField

from sishu.accounts.models import User
from sishu.content.models import Attachment, Picture
from sishu.core.errors import Invalid

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_TITLE_LENGTH = 255


def add_picture(user: User, upload: UploadedFile[bytes], *, title: str = "", alt: str = "") -> Picture:
    """Keep an uploaded picture, drawn anew. Invalid for a wrong kind, over 20 MB, over 40 megapixels, or broken."""
    try:
        WagtailImageField().clean(upload)
        with transaction.atomic():
            picture = Picture(title=_title(title, upload), description=_plain(alt), uploaded_by_user=user, file=upload)
            picture.save()
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    # What looked like a picture and could not be drawn anew: cut short, bent on purpose, or a bomb.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, ArithmeticError) as error:
        raise Invalid(
            _("“%(name)s” could not be read as a picture. Save it anew as PNG or JPEG.") % {"name": upload.name}
        ) from error
    return picture


def add_attachment(user: User, upload: UploadedFile[bytes], *, title: str = "") -> Attachment:
    """Keep an uploaded file. Invalid for a kind that is not on the list, an empty one, or one over 50 MB."""
    extension = PurePath(upload.name or "").suffix.lstrip(".").lower()
    if extension not in settings.WAGTAILDOCS_EXTENSIONS:
        raise Invalid(
            _("“%(name)s” is not a kind of file we keep. Send one of: %(known)s.")
            % {"name": upload.name, "known": ", ".join(settings.WAGTAILDOCS_EXTENSIONS)}
        )
    if not upload.size:
        raise Invalid(_("“%(name)s” is empty. Choose another file.") % {"name": upload.name})
    if upload.size > MAX_FILE_BYTES:
        raise Invalid(_("“%(name)s” is larger than 50 MB. Make it smaller, or split it.") % {"name": upload.name})
    attachment = Attachment(title=_title(title, upload), uploaded_by_user=user, file=upload)
    attachment._set_document_file_metadata()
    attachment.save()
    return attachment


def _title(title: str, upload: UploadedFile[bytes]) -> str:
    return _plain(title) or _plain(PurePath(upload.name or "").stem) or "—"


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:MAX_TITLE_LENGTH]
