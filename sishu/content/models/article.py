"""Articles."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page
from wagtail.search import index

from sishu.content.models.work import Work
from sishu.content.permissions import OwnPagesMixin


class TaggedWork(TaggedItemBase):
    """A tag on an article."""

    content_object = ParentalKey("content.ArticlePage", on_delete=models.CASCADE, related_name="tagged_items")


class ArticlePage(OwnPagesMixin, Work, Page):
    """A text to read, in one language; its translations share `translation_key`."""

    tags = ClusterTaggableManager(_("tags"), through=TaggedWork, blank=True)

    template = "content/article_page.html"
    parent_page_types = ["content.CreatorHub"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("cover"),
        FieldPanel("category"),
        FieldPanel("tags"),
        FieldPanel("body"),
    ]
    search_fields = [*Page.search_fields, *Work.search_fields, index.FilterField("translation_key")]

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        permissions = [("withdraw_work", "Can withdraw a work")]
