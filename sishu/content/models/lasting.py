"""Pages without an end: an expiry unpublishes by the clock and asks nobody, those who bought the work least of all."""

from __future__ import annotations

from typing import Any, ClassVar

from wagtail.admin.panels import CommentPanel, Panel, PublishingPanel


class Lasting:
    """For page models: a moment to go live may be set, none to go away, whatever a form or an old version says."""

    settings_panels: ClassVar[list[Panel]] = [
        PublishingPanel(children=[one for one in PublishingPanel().children if one.field_name != "expire_at"]),
        CommentPanel(),
    ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.expire_at = None
        super().save(*args, **kwargs)  # type: ignore[misc]

    def with_content_json(self, content: dict[str, Any]) -> Any:
        """As Wagtail's, of what a version says without its end."""
        return super().with_content_json({**content, "expire_at": None})  # type: ignore[misc]
