"""The text of a work for one level of reader, ready for the page."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import caches
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from sishu.content import paywall, rendering, text
from sishu.content.models import ArticlePage
from sishu.content.paywall import Level

# What blocks/paywall.html draws where a passed paywall stood.
GATE = '<div class="gate"'
PLACE = '<span id="continue"></span>'
PARAGRAPH = "<p>"


@dataclass(frozen=True, slots=True)
class Body:
    """What a reader of `level` reads, and what the next step would open."""

    level: Level
    html: SafeString
    next_level: Level | None
    sections: tuple[text.Section, ...]
    words_beyond: int

    @property
    def is_cut(self) -> bool:
        return self.next_level is not None

    @property
    def opens_words(self) -> int:
        """Words that the next step opens."""
        return sum(section.words for section in self.sections)

    @property
    def asks_to_pay(self) -> bool:
        return self.next_level == Level.PAID


def live_body(page_id: int, level: Level) -> Body:
    """The text of the live version."""
    return body_of(ArticlePage.objects.only("body").get(pk=page_id), level)


def body_of(page: ArticlePage, level: Level) -> Body:
    """The text of a page, live or draft, up to `level`.

    Kept by its whole content: a body is drawn once, however often other things begin a new generation.
    """
    key = f"text:{get_language()}:{level}:{rendering.fingerprint(page.body)}"
    body: Body | None = caches["pages"].get(key)
    if body is None:
        body = _draw(page, level)
        caches["pages"].set(key, body)
    return body


def _draw(page: ArticlePage, level: Level) -> Body:
    shown, next_level = paywall.cut(page.body, level)
    raw = list(page.body.raw_data)
    opened = len(page.body_at(next_level)) if next_level is not None else len(raw)
    html = _with_place(rendering.stream_html(shown))
    return Body(
        level=level,
        html=mark_safe(_fading(html) if next_level is not None else html),  # noqa: S308  only our own marks are added
        next_level=next_level,
        sections=tuple(text.sections(raw[len(shown) : opened])),
        words_beyond=sum(section.words for section in text.sections(raw[opened:])),
    )


def _with_place(html: str) -> str:
    """Mark the last gate passed: there a reader who has just paid or signed in goes on."""
    before, gate, after = html.rpartition(GATE)
    return f"{before}{PLACE}{gate}{after}" if gate else html


def _fading(html: str) -> str:
    """Let the ink run out in the last paragraph before the cut."""
    start = html.rfind(PARAGRAPH)
    if start < 0 or not html.rstrip().endswith("</p>"):
        return html
    return f'{html[:start]}<p class="fade">{html[start + len(PARAGRAPH) :]}'
