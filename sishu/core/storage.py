"""The file storage, whichever it is."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.crypto import get_random_string


def probe() -> None:
    """Keep a small file and take it away again. Raises what the storage raises when it cannot."""
    default_storage.delete(default_storage.save(f"probe/{get_random_string(12)}", ContentFile(b"probe")))
