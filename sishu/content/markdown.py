"""Markdown source of a prose block → safe HTML, plain text, headings, reading time.

CommonMark with tables and strikethrough, and emphasis that works in Chinese. HTML in the source is shown as text.
Images in prose become links to the image: a remote picture would tell its host who reads, and the site's
Content-Security-Policy would block it. Pictures of a work are image blocks.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from sishu.content.emphasis import CjkInlineParser, is_cjk

HAN_PER_MINUTE = 400
WORDS_PER_MINUTE = 220

_SURROGATES = re.compile("[\ud800-\udfff]")
_EXTERNAL = re.compile(r"https?:|//", re.IGNORECASE)
_EXTERNAL_REL = "noopener nofollow ugc"  # creators are guests of the house: their links do not speak for it
# Kana count one each like Han; Hangul is written in words.
_HAN = re.compile("[々〇\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Heading:
    """One heading as rendered: level 2–4, its text without markup, and the id to link to."""

    level: int
    text: str
    anchor: str


class Anchors:
    """Hands out heading ids, each once. Share one between all the prose of a page.

    An id is the heading's own words, so a link to it survives edits elsewhere. The prefix keeps it from meeting
    the ids of the page around (`main`, `offer`).
    """

    def __init__(self, prefix: str = "h-") -> None:
        self._prefix = prefix
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def name(self, text: str) -> str:
        """A new id for a heading of this text: `h-第一章`, the second time `h-第一章-2`."""
        words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())
        stem = anchor = self._prefix + ("-".join(words) or "section")
        while anchor in self._taken:
            self._repeats[stem] += 1
            anchor = f"{stem}-{self._repeats[stem] + 1}"
        self._taken.add(anchor)
        return anchor


def render(source: str, anchors: Anchors | None = None) -> SafeString:
    """Render Markdown to HTML that is safe whatever the source holds.

    Headings become h2–h4 with ids from `anchors`. Links keep only http, https, mailto and relative addresses.
    """
    html = _parser.render(normalise(source), {"anchors": anchors or Anchors()})
    return mark_safe(_cleaner.clean(html))  # noqa: S308 - clean is what makes it safe


def plain_text(source: str) -> str:
    """The words of a Markdown source without its markup, one line a paragraph, heading, cell or line of code."""
    lines = []
    for token in _parser.parse(normalise(source), {"anchors": Anchors()}):
        if token.type == "inline":
            lines.append(_text_of(token.children or []))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip("\n"))
    return "\n".join(line for line in lines if line)


def headings(source: str, anchors: Anchors | None = None) -> list[Heading]:
    """The headings of a Markdown source, with the same ids as `render` gives from equal `anchors`."""
    env: EnvType = {"anchors": anchors or Anchors()}
    _parser.parse(normalise(source), env)
    return list(env["headings"])


def count_words(text: str) -> int:
    """Words of a plain text: each Han character or kana is one, each word of other scripts is one."""
    han, words = _han_and_words(text)
    return han + words


def reading_minutes(text: str) -> int:
    """Whole minutes to read a plain text, at least 1."""
    han, words = _han_and_words(text)
    return max(1, math.ceil(han / HAN_PER_MINUTE + words / WORDS_PER_MINUTE))


def normalise(text: str) -> str:
    """One kind of line end, no NUL (PostgreSQL refuses it), no lone surrogate (UTF-8 cannot hold it)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _SURROGATES.sub("\ufffd", text)


def _han_and_words(text: str) -> tuple[int, int]:
    spaced, han = _HAN.subn(" ", text)
    return han, sum(1 for _ in _WORD.finditer(spaced))


def _text_of(children: Sequence[Token]) -> str:
    """The text of inline tokens. A line break is a space, but none between two characters of a script without spaces."""
    pieces: list[str] = []
    after_break = False
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            after_break = True
            continue
        text = _text_of(child.children or []) if child.type == "image" else child.content
        if not text:
            continue
        if after_break and pieces and not (_is_unspaced(pieces[-1][-1]) and _is_unspaced(text[0])):
            pieces.append(" ")
        pieces.append(text)
        after_break = False
    return "".join(pieces)


def _is_unspaced(character: str) -> bool:
    is_hangul = "\uac00" <= character <= "\ud7a3"
    return is_cjk(character) and not is_hangul


# Core rules: each walks the token stream once, after markdown-it's own.


def _name_headings(state: StateCore) -> None:
    """Bring headings to h2–h4 (h1 is the work's title) and give them ids; `env["headings"]` lists them."""
    found = state.env["headings"] = []
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = min(max(int(opening.tag[1]), 2), 4)
        opening.tag = closing.tag = f"h{level}"
        text = _text_of(inline.children or [])
        anchor = state.env["anchors"].name(text)
        opening.attrSet("id", anchor)
        found.append(Heading(level, text, anchor))


def _align_by_class(state: StateCore) -> None:
    """Say a cell's alignment by class: the Content-Security-Policy refuses style attributes."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            alignment = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrSet("class", f"align-{alignment}")


def _link_images(state: StateCore) -> None:
    for token in state.tokens:
        if token.children and any(child.type == "image" for child in token.children):
            token.children = list(_with_images_linked(token.children))


def _with_images_linked(children: Sequence[Token]) -> Iterator[Token]:
    in_link = False
    for child in children:
        in_link = child.type == "link_open" or (in_link and child.type != "link_close")
        if child.type != "image":
            yield child
            continue
        address = str(child.attrs["src"])
        label = Token("text", "", 0, content=_text_of(child.children or []) or address)
        if in_link:  # a link holds no link
            yield label
            continue
        attrs = {"href": address} | {name: value for name, value in child.attrs.items() if name == "title"}
        yield Token("link_open", "a", 1, attrs=attrs)
        yield label
        yield Token("link_close", "a", -1)


def _mark_external_links(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or []:
            if child.type == "link_open" and _EXTERNAL.match(str(child.attrs["href"])):
                child.attrSet("rel", _EXTERNAL_REL)


def _open_table(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return '<div class="table-wrap">' + renderer.renderToken(tokens, index, options, env)


def _close_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return renderer.renderToken(tokens, index, options, env).rstrip() + "</div>\n"


def _build_parser() -> MarkdownIt:
    parser = MarkdownIt()
    parser.inline = CjkInlineParser()
    parser.configure("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for rule in (_link_images, _mark_external_links, _name_headings, _align_by_class):
        parser.core.ruler.push(rule.__name__.lstrip("_"), rule)
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    return parser


_parser = _build_parser()
_TAGS = "p h2 h3 h4 ul ol li blockquote em strong s code pre a div table thead tbody tr th td hr br sup sub"
_ALIGNMENTS = {"align-left", "align-center", "align-right"}
# The second lock: the parser escapes all HTML, and what it writes itself must still be on this list.
_cleaner = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={"a": {"href", "title", "rel"}, "ol": {"start"}, "h2": {"id"}, "h3": {"id"}, "h4": {"id"}},
    allowed_classes={"div": {"table-wrap"}, "th": _ALIGNMENTS, "td": _ALIGNMENTS},
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)
