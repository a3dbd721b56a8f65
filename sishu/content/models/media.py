"""Pictures and files. Their storage has no public address: web/media.py serves each after asking who reads."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.documents.models import AbstractDocument, Document
from wagtail.images.models import AbstractImage, AbstractRendition, Image

from sishu.content.pictures import reencode
from sishu.core import addresses

# The only widths ever made: asking for any other gives the next one up, so that nobody can fill the disk by counting.
WIDTHS = (160, 320, 480, 720, 960, 1440, 1920)


def nearest_width(width: int) -> int:
    """The made width that serves a wish for `width`."""
    return next((made for made in WIDTHS if made >= width), WIDTHS[-1])


class Picture(AbstractImage):
    """An uploaded picture, drawn anew on arrival: no camera data, no hidden payload stays in it."""

    admin_form_fields = Image.admin_form_fields

    class Meta(AbstractImage.Meta):
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Every door (studio, chooser, writer's page) ends here, so none can forget it.
        if self.file and not self.file._committed:  # type: ignore[has-type]
            self.file = reencode(self.file)  # type: ignore[has-type]
            self._set_image_file_metadata()
        super().save(*args, **kwargs)

    def address(self, width: int) -> str:
        """Where web/media.py serves it at about that width."""
        return addresses.picture(self.pk, nearest_width(width))

    def at(self, width: int) -> PictureRendition:
        """The drawing of that width, made when it is first wanted."""
        return self.get_rendition(f"width-{nearest_width(width)}")


class PictureRendition(AbstractRendition):
    """One made width of a picture."""

    image = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="renditions", verbose_name=_("picture"))

    class Meta:
        verbose_name = _("width of a picture")
        verbose_name_plural = _("widths of pictures")
        unique_together = (("image", "filter_spec", "focal_point_key"),)

    @property
    def url(self) -> str:
        """The checked address: the storage's own one is not served."""
        return addresses.picture(self.image_id, nearest_width(self.width))


class Attachment(AbstractDocument):
    """A file that comes with a work."""

    admin_form_fields = Document.admin_form_fields

    class Meta(AbstractDocument.Meta):
        verbose_name = _("file")
        verbose_name_plural = _("files")

    @property
    def url(self) -> str:
        """The checked address: the storage's own one is not served."""
        return addresses.attachment(self.pk)
