"""Drawing an uploaded picture anew."""

from __future__ import annotations

from io import BytesIO

from django.core.files.base import ContentFile, File
from PIL import Image, ImageOps

KEPT_FORMATS = {"JPEG": {"quality": 90}, "PNG": {"optimize": True}, "WEBP": {"quality": 90}, "GIF": {}}


def reencode(file: File) -> ContentFile:
    """The same picture as new bytes: turned upright, without metadata or anything appended. Keeps the name."""
    file.open()
    with Image.open(file) as image:
        format_ = image.format if image.format in KEPT_FORMATS else "PNG"
        moving = format_ in {"GIF", "WEBP"} and getattr(image, "n_frames", 1) > 1
        out = BytesIO()
        if moving:
            image.save(out, format_, save_all=True, exif=b"", icc_profile=None, comment=b"")
        else:
            upright = ImageOps.exif_transpose(image)
            profile = image.info.get("icc_profile")
            clean = Image.new(upright.mode, upright.size) if upright.mode != "P" else upright.copy()
            if upright.mode != "P":
                clean.paste(upright)
            clean.info.clear()
            clean.save(out, format_, **({"icc_profile": profile} if profile else {}), **KEPT_FORMATS[format_])
    return ContentFile(out.getvalue(), name=file.name)
