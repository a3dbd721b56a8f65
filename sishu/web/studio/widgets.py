"""Wagtail's widgets, started by our studio.js instead of by scripts inside the page, which the policy forbids."""

from __future__ import annotations

import json
from typing import Any

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail.admin.widgets import BaseChooser
from wagtail.admin.widgets.workflows import AdminTaskChooser


def render_chooser(
    self: BaseChooser, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
) -> SafeString:
    """A chooser as Wagtail renders it, with what starts it as data. Takes the place of its `render`."""
    data = self.get_value_data(value)
    id_ = (attrs or {})["id"]
    return format_html(
        '{}<start-widget data-name="{}" data-for="{}" data-options="{}" hidden></start-widget>',
        self.render_html(name, data, attrs),
        self.js_constructor,
        id_,
        json.dumps(self.get_js_init_options(id_, name, data)),
    )


def install() -> None:
    """Once, at start."""
    BaseChooser.render = render_chooser
    AdminTaskChooser.js_constructor = "createTaskChooser"


def script() -> SafeString:
    """What every page of the studio loads."""
    return format_html('<script src="{}"></script>', static("build/studio.js"))


def style() -> SafeString:
    """How our own lists and facts look there."""
    return format_html('<link rel="stylesheet" href="{}">', static("build/studio.css"))
