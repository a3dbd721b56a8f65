"""The house itself and the rooms of its creators."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.models import Page

from sishu.content.models.lasting import Lasting
from sishu.content.permissions import OwnPagesMixin


class HomePage(OwnPagesMixin, Lasting, Page):
    """The title page, one in each language."""

    site_name = models.CharField(_("name of the house"), max_length=40)
    credo = models.TextField(_("credo"), blank=True, max_length=400, help_text=_("One line each."))
    lead = models.TextField(_("lead"), blank=True, max_length=600)
    footer = models.TextField(_("footer"), blank=True, max_length=600)

    template = "content/home_page.html"
    private_page_options: list[str] = []  # who may read is said by levels, nowhere else
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["content.CreatorHub"]
    is_creatable = False  # house.ensure_house makes them; a second one per language would be a second house
    content_panels = [
        *Page.content_panels,
        MultiFieldPanel([FieldPanel("site_name"), FieldPanel("credo"), FieldPanel("lead"), FieldPanel("footer")]),
    ]

    class Meta:
        verbose_name = _("home page")

    @property
    def credo_lines(self) -> list[str]:
        """The credo, a line each."""
        return [line.strip() for line in self.credo.splitlines() if line.strip()]


class CreatorHub(OwnPagesMixin, Lasting, Page):
    """One creator's room in one language; their works hang below it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("creator"), on_delete=models.PROTECT, related_name="hubs"
    )
    bio = models.TextField(_("about the creator"), blank=True, max_length=2000)
    # One room per person and language. The language lives in Page's table, out of a constraint's reach, so we copy it.
    place = models.CharField(max_length=60, unique=True, editable=False)

    template = "content/creator_hub.html"
    private_page_options: list[str] = []  # who may read is said by levels, nowhere else
    parent_page_types = ["content.HomePage"]
    subpage_types = ["content.ArticlePage"]
    is_creatable = False  # house.ensure_hub makes them
    content_panels = [*Page.content_panels, FieldPanel("bio")]

    class Meta:
        verbose_name = _("creator's room")

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        self.place = self._place()
        super().full_clean(*args, **kwargs)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.place = self._place()
        super().save(*args, **kwargs)

    def _place(self) -> str:
        locale = self.locale if self.locale_id else self.get_default_locale()
        return f"{self.user_id}:{locale.language_code}"
