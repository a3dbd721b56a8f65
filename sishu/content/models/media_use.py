"""Which pictures and files a live work shows, and from which level on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sishu.content.paywall import Level


class MediaUse(models.Model):
    """A live page shows this picture, or offers this file, to readers of `level` and above.

    Rewritten with the page, in the same transaction. What no row names is open to nobody but its owner and reviewers.
    """

    page = models.ForeignKey(
        "wagtailcore.Page", on_delete=models.CASCADE, related_name="media_uses", verbose_name=_("page")
    )
    picture = models.ForeignKey(
        "content.Picture",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="media_uses",
        verbose_name=_("picture"),
    )
    attachment = models.ForeignKey(
        "content.Attachment",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="media_uses",
        verbose_name=_("file"),
    )
    level = models.PositiveSmallIntegerField(_("level"), choices=Level.choices)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("use of a picture or file")
        constraints = [
            models.UniqueConstraint(fields=["page", "picture"], name="one_use_per_page_and_picture"),
            models.UniqueConstraint(fields=["page", "attachment"], name="one_use_per_page_and_attachment"),
            models.CheckConstraint(
                condition=models.Q(picture__isnull=False, attachment__isnull=True)
                | models.Q(picture__isnull=True, attachment__isnull=False),
                name="a_use_is_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.picture_id or self.attachment_id} @ {self.get_level_display()}"
