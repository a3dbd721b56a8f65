"""Who wrote what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Authorship(models.Model):
    """A person's part in one page. A translation has rows of its own."""

    class Role(models.TextChoices):
        AUTHOR = "author", _("author")
        COAUTHOR = "coauthor", _("co-author")

    page = models.ForeignKey(
        "wagtailcore.Page", on_delete=models.CASCADE, related_name="authorships", verbose_name=_("page")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="authorships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.AUTHOR)

    # Who wrote a page is no use of it that should hold up its deletion.
    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("authorship")
        verbose_name_plural = _("authorships")
        constraints = [models.UniqueConstraint(fields=["page", "user"], name="one_part_per_person_and_page")]
        ordering = ["role", "id"]  # "author" sorts before "coauthor"

    def __str__(self) -> str:
        return f"{self.user} · {self.page} ({self.get_role_display()})"
