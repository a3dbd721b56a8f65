"""The studio's form of a work."""

from __future__ import annotations

from typing import Any

from wagtail.admin.forms import WagtailAdminPageForm

from sishu.content.models.shown_media import check_chosen, media_levels, media_of
from sishu.content.permissions import is_page_staff
from sishu.core.errors import Invalid


class WorkForm(WagtailAdminPageForm):
    """Holds creators to their own uploads: the choosers only offer those, but a form may name any number."""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        if "body" not in values or "cover" not in values or is_page_staff(self.for_user):
            return values
        cover = values["cover"]
        chosen = media_levels(list(values["body"].raw_data), cover.pk if cover else None)
        try:
            check_chosen(chosen, media_of(self.instance), self.for_user)
        except Invalid as error:
            self.add_error(None, str(error))
        return values
