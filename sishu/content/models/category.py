"""Shelves: a tree of categories, named in both languages."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node
from wagtail.admin.panels import FieldPanel


class Category(MP_Node):
    """One shelf; works stand on it in any language."""

    slug = models.SlugField(_("address"), max_length=80, unique=True, allow_unicode=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)

    node_order_by = ["name_en"]
    panels = [FieldPanel("name_zh"), FieldPanel("name_en"), FieldPanel("slug")]

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return f"{'— ' * ((self.depth or 1) - 1)}{self.name}"

    @property
    def name(self) -> str:
        """The name in the language of the moment."""
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A form knows nothing of trees: what it saves for the first time becomes a root.
        if not self.depth:
            type(self).add_root(instance=self)
            return
        super().save(*args, **kwargs)
