"""Drawing an uploaded picture anew."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile, File
from PIL import Image, ImageOps

# Format → how it is saved; any other kind of picture becomes a PNG.
KEPT_FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 90},
    "GIF": {},
}
MOVING_FORMATS = ("GIF", "WEBP")
NO_METADATA: dict[str, Any] = {"exif": b"", "xmp": b"", "comment": b"", "icc_profile": None}


def reencode(file: File[bytes]) -> ContentFile[bytes]:
    """The same picture as new bytes: turned upright, without metadata or anything appended. Keeps the name."""
    file.open()
    out = BytesIO()
    with Image.open(file) as image:
        kind = image.format if image.format in KEPT_FORMATS else "PNG"
        if kind in MOVING_FORMATS and getattr(image, "n_frames", 1) > 1:
            image.save(out, kind, save_all=True, **NO_METADATA)
        else:
            _bare(image).save(out, kind, icc_profile=image.info.get("icc_profile"), **KEPT_FORMATS[kind])
    return ContentFile(out.getvalue(), name=file.name)


def _bare(image: Image.Image) -> Image.Image:
    """A new picture with the same pixels, and nothing else."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "P":
        upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    return bare
