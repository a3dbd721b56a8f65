"""The blocks a body is made of, as docs/reference/dialect.md names them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

from sishu.content import dialect, embeds, markdown
from sishu.content.paywall import ORDER_MESSAGE, TIERS, tier_of

MAX_PROSE_LENGTH = 500_000
LOCKED = "locked"
UNREAD_MESSAGE = _(
    "The block “%(name)s” in the text cannot be read, so it would be shown as text. Repair it or take it out."
)
IN_TEXT_MESSAGE = _(
    "The block “%(name)s” lies inside a text, so it would be shown as text. Take it out there and insert it as a block."
)


class MarkdownArea(AdminAutoHeightTextInput):
    """A text area that the editor of the writer's page takes over, in the studio too."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-markdown-editor": "", "spellcheck": "true", **(attrs or {})})


class ProseBlock(blocks.FieldBlock):
    """Markdown source."""

    def __init__(self, required: bool = True, max_length: int = MAX_PROSE_LENGTH, **kwargs: Any) -> None:
        self.field_options: dict[str, Any] = {"required": required, "max_length": max_length}
        super().__init__(**kwargs)

    @cached_property
    def field(self) -> forms.Field:
        # Leading spaces are code, or the indent of a Chinese paragraph.
        return forms.CharField(widget=MarkdownArea(), strip=False, **self.field_options)

    def render_basic(self, value: str, context: Mapping[str, Any] | None = None) -> SafeString:
        return markdown.render(value or "", (context or {}).get("anchors"))

    class Meta:
        label = _("Text")
        icon = "pilcrow"


class CodeText(blocks.TextBlock):
    """Text whose first line keeps its indent."""

    @cached_property
    def field(self) -> forms.Field:
        field = super().field
        field.strip = False
        return field


class CodeBlock(blocks.StructBlock):
    """Lines of a program, shown as they are."""

    language = blocks.CharBlock(
        label=_("Language"),
        required=False,
        max_length=40,
        validators=[RegexValidator(r"^[A-Za-z0-9+#._-]*$", _("Name a language in one word, such as python."))],
    )
    code = CodeText(label=_("Code"), max_length=100_000, form_classname="monospace")

    class Meta:
        label = _("Code")
        icon = "code"
        template = "blocks/code.html"


class CalloutBlock(blocks.StructBlock):
    """A few lines set apart."""

    kind = blocks.ChoiceBlock(
        label=_("Kind"), choices=[("note", _("Note")), ("tip", _("Tip")), ("warning", _("Warning"))], default="note"
    )
    title = blocks.CharBlock(label=_("Title"), required=False, max_length=80)
    text = ProseBlock(max_length=10_000)

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        kinds = dict(self.child_blocks["kind"].field.choices)
        return {
            **context,
            "title": value["title"] or kinds.get(value["kind"], ""),
            "text": markdown.render(value["text"] or "", (parent_context or {}).get("anchors")),
        }

    class Meta:
        label = _("Callout")
        icon = "info-circle"
        template = "blocks/callout.html"


class ImageBlock(blocks.StructBlock):
    """A picture of the author's, with its caption."""

    SHOWN_WIDTHS = (480, 720, 960, 1440)

    image = ImageChooserBlock(label=_("Picture"))
    alt = blocks.CharBlock(
        label=_("Alternative text"),
        required=False,
        max_length=255,
        help_text=_("What is to be seen, for those who cannot see it."),
    )
    caption = blocks.CharBlock(label=_("Caption"), required=False, max_length=300)

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        picture = value["image"]
        if picture is None:
            return context
        sources = ", ".join(f"{picture.address(width)} {width}w" for width in self.SHOWN_WIDTHS)
        return {**context, "picture": picture, "src": picture.address(960), "sources": sources}

    class Meta:
        label = _("Picture")
        icon = "image"
        template = "blocks/image.html"


class FileBlock(blocks.StructBlock):
    """A file to take away."""

    document = DocumentChooserBlock(label=_("File"))
    title = blocks.CharBlock(label=_("Title"), required=False, max_length=120)

    class Meta:
        label = _("File")
        icon = "doc-full"
        template = "blocks/file.html"


class EmbedBlock(blocks.StructBlock):
    """A card that leads to a player elsewhere."""

    url = blocks.URLBlock(label=_("Address"), max_length=500, validators=[embeds.check_url])
    caption = blocks.CharBlock(label=_("Caption"), required=False, max_length=200)

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        return {**context, "provider": embeds.provider_of(value["url"] or "")}

    class Meta:
        label = _("Video or audio elsewhere")
        icon = "media"
        template = "blocks/embed.html"


class PaywallBlock(blocks.StructBlock):
    """From here on only readers of this level read."""

    tier = blocks.ChoiceBlock(
        label=_("Who may read on"), choices=[(level.name, level.label) for level in TIERS], default="PAID"
    )

    class Meta:
        label = _("Paywall")
        icon = "lock"
        template = "blocks/paywall.html"


class LockedBlock(blocks.FieldBlock):
    """A block of a type this installation does not know: kept to the letter, shown to writers as a locked card.

    Its value is the raw value. Readers see nothing of it. In the studio's forms all unknown types travel under the one
    name "locked", with their own name inside.
    """

    @cached_property
    def field(self) -> forms.Field:
        return forms.CharField(required=False, widget=forms.HiddenInput())

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> Any:
        return value

    def normalize(self, value: Any) -> Any:
        return value

    def clean(self, value: Any) -> Any:
        return value

    def get_form_state(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def get_searchable_content(self, value: Any) -> list[str]:
        return []

    def render(self, value: Any, context: Mapping[str, Any] | None = None) -> SafeString:
        return SafeString("")

    class Meta:
        label = _("Locked block")
        help_text = _("This house does not know blocks of this type. It is kept as it is; readers do not see it.")
        icon = "lock"
        default = None


class KnownOrLocked(dict[str, blocks.Block]):
    """Child blocks by type, with a LockedBlock for every name that is not there; listed are only the known ones."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __missing__(self, name: str) -> blocks.Block:
        block = LockedBlock()
        block.set_name(name)
        return block

    def knows(self, name: str) -> bool:
        """Whether a type is one of ours."""
        return dict.__contains__(self, name) and name != LOCKED


class BodyBlock(blocks.StreamBlock):
    """A body. Wagtail's own stream forgets blocks of unknown types on load; this one gives them back on save."""

    prose = ProseBlock()
    image = ImageBlock()
    code = CodeBlock()
    callout = CalloutBlock()
    file = FileBlock()
    embed = EmbedBlock()
    paywall = PaywallBlock()
    locked = LockedBlock()

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__(local_blocks, **kwargs)
        self.child_blocks: KnownOrLocked = KnownOrLocked(self.base_blocks | dict(local_blocks or ()))

    def clean(self, value: blocks.StreamValue) -> blocks.StreamValue:
        cleaned = super().clean(value)
        tiers = [tier for block in cleaned.raw_data if (tier := tier_of(block)) is not None]
        wrong = [] if tiers == sorted(set(tiers)) else [ValidationError(ORDER_MESSAGE)]
        # Half a fence may be kept in a draft. Published, a paywall that is only text hides nothing.
        if not self.is_deferred_validation:
            wrong += [
                ValidationError(IN_TEXT_MESSAGE if is_readable else UNREAD_MESSAGE, params={"name": name})
                for name, is_readable in dialect.fences_in_prose(cleaned.raw_data)
            ]
        if wrong:
            raise blocks.StreamBlockValidationError(non_block_errors=forms.utils.ErrorList(wrong))
        return cleaned

    def get_form_state(self, value: blocks.StreamValue) -> list[dict[str, Any]]:
        return [
            state
            if self.child_blocks.knows(state["type"])
            else {
                "type": LOCKED,
                "value": json.dumps({"type": state["type"], "value": json.loads(state["value"])}, ensure_ascii=False),
                "id": state["id"],
            }
            for state in super().get_form_state(value)
        ]

    def value_from_datadict(self, data: Any, files: Any, prefix: str) -> blocks.StreamValue:
        stream = super().value_from_datadict(data, files, prefix)
        return blocks.StreamValue(self, [kept for child in stream if (kept := self._unlocked(child)) is not None])

    def _unlocked(self, child: Any) -> tuple[str, Any, str | None] | None:
        """A child of a submitted form under its own name again; None for a card that somebody has tampered with."""
        if child.block_type != LOCKED:
            return child.block_type, child.value, child.id
        try:
            inner = json.loads(child.value)
            name, value = inner["type"], inner["value"]
        except (TypeError, ValueError, KeyError):
            return None
        # A known type in a locked card would pass by its own block's checks.
        if not isinstance(name, str) or self.child_blocks.knows(name):
            return None
        return name, value, child.id

    class Meta:
        required = False
        block_counts: dict[str, dict[str, int]] = {}
