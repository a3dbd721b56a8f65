"""A draft's values: reading them from a page, checking them, putting them in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.blocks import StreamBlockValidationError

from sishu.accounts.models import User
from sishu.content import dialect, embeds, paywall
from sishu.content.blocks import UNREAD_MESSAGE
from sishu.content.markdown import normalise
from sishu.content.models import ArticlePage, Category
from sishu.content.models.shown_media import check_chosen, check_shown, media_levels, media_of
from sishu.content.models.work import MAX_SUMMARY_LENGTH
from sishu.core.errors import Invalid

MAX_TITLE_LENGTH = 120
MAX_MARKDOWN_BYTES = 500_000  # bytes of UTF-8
MAX_TAGS, MAX_TAG_LENGTH = 10, 30
REVISIONS_TO_SEARCH = 50

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DraftValues:
    """What a writer fills in. `markdown` is the whole body in the dialect."""

    title: str
    summary: str = ""
    category_id: int | None = None
    tags: tuple[str, ...] = ()
    cover_id: int | None = None
    markdown: str = ""


def values_of(page: ArticlePage) -> DraftValues:
    """The values of a page or of a version of it."""
    return DraftValues(
        title=page.title,
        summary=page.summary,
        category_id=page.category_id,
        tags=tuple(sorted(tag.name for tag in page.tags.all())),
        cover_id=page.cover_id,
        markdown=dialect.to_markdown(page.body.raw_data),
    )


def checked(values: DraftValues, *, writer: User, before: ArticlePage | None = None) -> DraftValues:
    """The values in their settled spelling. Invalid names what cannot be kept, and what to do.

    Pictures and files must be uploads of the writer, or stand in `before` already.
    """
    title = _plain(values.title)
    if not title:
        raise Invalid(_("A work needs a title. Give it one."), code="title")
    if len(title) > MAX_TITLE_LENGTH:
        message = _("The title has %(length)d characters; %(most)d are the most. Shorten it.")
        raise Invalid(message % {"length": len(title), "most": MAX_TITLE_LENGTH}, code="title")
    summary = _plain(values.summary)
    if len(summary) > MAX_SUMMARY_LENGTH:
        message = _("The summary has %(length)d characters; %(most)d are the most. Shorten it.")
        raise Invalid(message % {"length": len(summary), "most": MAX_SUMMARY_LENGTH}, code="summary")
    size = len(values.markdown.encode(errors="replace"))
    if size > MAX_MARKDOWN_BYTES:
        message = _("The text has %(size)d kB; 500 kB are the most. Split it into two works.")
        raise Invalid(message % {"size": size // 1000}, code="markdown")
    if values.category_id is not None and not Category.objects.filter(pk=values.category_id).exists():
        raise Invalid(_("The chosen category does not exist any more. Choose another one."), code="category")
    markdown = normalise(values.markdown)
    raw_before = list(before.body.raw_data) if before is not None else []
    blocks = dialect.to_blocks(markdown, raw_before)
    _check_paywalls(blocks)
    _check_embeds(blocks)
    _check_unknown(blocks, raw_before, before)
    standing = media_of(before) if before is not None else ({}, {})
    check_chosen(media_levels(blocks, values.cover_id), standing, writer)
    return replace(
        values, title=title, summary=summary, tags=_checked_tags(values.tags), markdown=dialect.to_markdown(blocks)
    )


def fill(page: ArticlePage, values: DraftValues) -> None:
    """Put checked values into a page or a version of it, unsaved."""
    page.title = values.title
    page.summary = values.summary
    page.category_id = values.category_id
    page.cover_id = values.cover_id
    page.tags.set(values.tags)
    page.body = json.dumps(dialect.to_blocks(values.markdown, list(page.body.raw_data)))


def is_settled(draft: ArticlePage) -> bool:
    """Whether a version's blocks are those that its own text says: the studio may have left one lying in prose."""
    return not any(is_readable for _name, is_readable in dialect.fences_in_prose(draft.body.raw_data))


def check_ready(draft: ArticlePage) -> None:
    """Invalid when a version cannot be published as it is."""
    raw = list(draft.body.raw_data)
    if unread := dialect.unread_fences(dialect.to_markdown(raw)):
        raise Invalid(UNREAD_MESSAGE % {"name": unread[0]}, code="markdown")
    try:
        draft.body.stream_block.clean(draft.body)
    except StreamBlockValidationError as error:
        raise Invalid(_first_message(error, draft), code="markdown") from error
    check_shown(draft)


def _plain(text: str) -> str:
    return " ".join(normalise(text).split())


def _checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    names = {name for tag in tags if (name := _plain(tag).replace(",", " ").strip(" #"))}
    if len(names) > MAX_TAGS or any(len(name) > MAX_TAG_LENGTH for name in names):
        message = _("A work has at most %(most)d tags of %(length)d characters each. Shorten the list.")
        raise Invalid(message % {"most": MAX_TAGS, "length": MAX_TAG_LENGTH}, code="tags")
    return tuple(sorted(names))


def _check_paywalls(blocks: list[Block]) -> None:
    names = [tier.name for tier in paywall.TIERS]
    tiers = [block["value"]["tier"] for block in blocks if block["type"] == paywall.PAYWALL]
    for tier in tiers:
        if tier not in names:
            message = _("A paywall asks for “%(tier)s”; it can ask for %(known)s.")
            raise Invalid(message % {"tier": tier, "known": ", ".join(names)}, code="paywall")
    if [names.index(tier) for tier in tiers] != sorted({names.index(tier) for tier in tiers}):
        raise Invalid(str(paywall.ORDER_MESSAGE), code="paywall")


def _check_embeds(blocks: list[Block]) -> None:
    for block in blocks:
        if block["type"] == "embed":
            try:
                embeds.check_url(block["value"]["url"])
            except ValidationError as error:
                raise Invalid(" ".join(error.messages), code="embed") from error


def _check_unknown(blocks: list[Block], raw_before: list[Block], before: ArticlePage | None) -> None:
    """Blocks of unknown types survive, but nobody makes new ones: no check of ours has seen them."""
    known = ArticlePage.body.field.stream_block.child_blocks.knows
    fresh = [block for block in blocks if not known(block["type"]) and not _stands_in(block, raw_before)]
    if not fresh:
        return
    # Taken out, saved, and put back by "undo": it stands in an earlier version.
    revisions = before.revisions.order_by("-pk")[:REVISIONS_TO_SEARCH] if before is not None else []
    bodies = [json.loads(revision.content["body"]) for revision in revisions]
    for block in fresh:
        if not any(_stands_in(block, body) for body in bodies):
            message = _("There is no block of the type “%(type)s”. Take it out.")
            raise Invalid(message % {"type": block["type"]}, code="markdown")


def _stands_in(block: Block, raw: list[Block]) -> bool:
    return any(other["type"] == block["type"] and other["value"] == block["value"] for other in raw)


def _first_message(error: StreamBlockValidationError, draft: ArticlePage) -> str:
    if error.non_block_errors:
        return " ".join(str(message) for message in error.non_block_errors)
    index, inner = next(iter(error.block_errors.items()))
    reasons = " ".join(_leaves(inner))
    message = _("Block %(number)d (%(label)s) cannot be published yet: %(reasons)s")
    return message % {"number": index + 1, "label": draft.body[index].block.label, "reasons": reasons}


def _leaves(error: ValidationError) -> list[str]:
    """The sentences at the bottom of nested block errors."""
    inner = getattr(error, "block_errors", None)
    if isinstance(inner, dict):
        return [message for part in inner.values() for message in _leaves(part)]
    return [str(message) for message in error.messages]
