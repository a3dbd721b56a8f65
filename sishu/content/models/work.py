"""What every kind of work has in common."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StreamValue
from wagtail.fields import StreamField
from wagtail.search import index

from sishu.content import markdown, paywall, rendering, text
from sishu.content.blocks import BodyBlock
from sishu.content.models.media_use import MediaUse
from sishu.content.models.shown_media import admitted_media, media_of
from sishu.content.paywall import Level

MAX_SUMMARY_LENGTH = 300
FINDABLE_LENGTH = 20_000
# Derived from the body on every save; never typed in, never taken from a revision.
DERIVED = ("word_count", "reading_minutes", "digest", "level")


class Work(models.Model):
    """Fields and rules of a page that is read up to a level. Mixed into a Page; all below fails closed."""

    summary = models.CharField(_("summary"), max_length=MAX_SUMMARY_LENGTH, blank=True)
    cover = models.ForeignKey(
        "content.Picture",
        verbose_name=_("cover"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    category = models.ForeignKey(
        "content.Category",
        verbose_name=_("category"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    body = StreamField(BodyBlock(), verbose_name=_("body"), blank=True)
    word_count = models.PositiveIntegerField(default=0, editable=False)
    reading_minutes = models.PositiveIntegerField(default=0, editable=False)
    digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.PUBLIC, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True, editable=False)

    # Whoever is no author of it withdrew it for the house; then only the house brings it back.
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        abstract = True

    # Only what every stranger may read. A search hit on a hidden word would be a leak by itself.
    search_fields = [
        index.SearchField("summary"),
        index.SearchField("findable_text"),
        index.RelatedFields("tags", [index.SearchField("name")]),
        index.FilterField("category"),
        index.FilterField("withdrawn_at"),
    ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and not {"body", "cover", "live"} & set(fields):
            super().save(*args, **kwargs)
            return
        self._derive()
        if fields is not None:
            kwargs["update_fields"] = {*fields, *DERIVED}
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._note_media()

    @property
    def needed_level(self) -> Level:
        """The level that opens the whole work."""
        return paywall.needed_level(list(self.body.raw_data))

    @property
    def public_text(self) -> str:
        """The plain words that everybody may read: for search, feeds, excerpts and descriptions."""
        return text.full_text(self.body_at(Level.PUBLIC).raw_data)

    @property
    def findable_text(self) -> str:
        """The beginning of the public text: PostgreSQL takes 1 MB of terms a row, and a reader searches for less."""
        return self.public_text[:FINDABLE_LENGTH]

    def body_at(self, level: int) -> StreamValue:
        """The body up to the first paywall above `level`."""
        return paywall.cut(self.body, level)[0]

    def body_html(self, level: int) -> SafeString:
        """The body for a reader of `level`, drawn once and cached."""
        return rendering.stream_html(self.body_at(level))

    def remaining_sections(self, level: int) -> list[text.Section]:
        """What lies beyond the cut, heading by heading, with word counts: shown on purpose, without the words."""
        hidden = list(self.body.raw_data)[len(self.body_at(level)) :]
        if not hidden:
            return []
        key = f"rest:{level}:{rendering.fingerprint(self.body)}"
        found: list[text.Section] | None = caches["pages"].get(key)
        if found is None:
            found = text.sections(hidden)
            caches["pages"].set(key, found)
        return found

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Wagtail's context and the body up to `request.reading_level`: only the web layer sets one, after asking.

        Whoever forgets to ask (a preview, another view) gets what a stranger gets.
        """
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)  # type: ignore[misc]
        level = Level(getattr(request, "reading_level", Level.PUBLIC))
        stream, next_level = paywall.cut(self.body, level)
        return {
            **context,
            "level": level,
            "body_html": rendering.stream_html(stream),
            "is_cut": next_level is not None,
            "next_level": next_level,
        }

    def with_content_json(self, content: dict[str, Any]) -> Any:
        """A draft made live must not bring back a withdrawn work, nor a person forget that it was withdrawn."""
        page = super().with_content_json(content)  # type: ignore[misc]
        page.withdrawn_at, page.withdrawn_by_id = self.withdrawn_at, self.withdrawn_by_id
        return page

    def publish(self, *args: Any, **kwargs: Any) -> Any:
        """As Wagtail's, in one transaction: the page, its media rows and the fact that it was published."""
        with transaction.atomic():
            return super().publish(*args, **kwargs)  # type: ignore[misc]

    def unpublish(self, *args: Any, **kwargs: Any) -> Any:
        """As Wagtail's, in one transaction."""
        with transaction.atomic():
            return super().unpublish(*args, **kwargs)  # type: ignore[misc]

    def _derive(self) -> None:
        raw = list(self.body.raw_data)
        words = text.full_text(raw)
        self.word_count = markdown.count_words(words)
        self.reading_minutes = markdown.reading_minutes(words) if words else 0
        self.digest = text.digest(words)
        self.level = paywall.needed_level(raw)

    def _note_media(self) -> None:
        """Rewrite which pictures and files readers of which level may fetch because of this page."""
        MediaUse.objects.filter(page_id=self.pk).delete()
        if not self.live:  # type: ignore[attr-defined]
            return
        pictures, files = media_of(self)
        own_pictures, own_files = admitted_media(self)
        uses = [MediaUse(page_id=self.pk, picture_id=key, level=pictures[key]) for key in own_pictures]
        uses += [MediaUse(page_id=self.pk, attachment_id=key, level=files[key]) for key in own_files]
        MediaUse.objects.bulk_create(uses)
