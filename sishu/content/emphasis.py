"""Emphasis that works beside Chinese, Japanese and Korean text.

CommonMark decides by spaces and punctuation whether `**` opens or closes. CJK text has no spaces between words, so
`他说**“你好”**世界` and `**注意：**这里` stay full of asterisks. The rule here is the one of the "CommonMark CJK-friendly
amendments" (commonmark-spec issue 650): CJK punctuation counts as a letter, and a CJK character counts as a space when
punctuation stands on the other side of the run. Where no CJK character touches the run, plain CommonMark decides.
"""

from unicodedata import east_asian_width

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

# Python knows East Asian width but not emoji; these blocks hold the wide emoji, and nothing a sentence is written in.
_EMOJI_BLOCKS = (range(0x231A, 0x2329), range(0x232B, 0x2E80), range(0x1F000, 0x20000))
_HANGUL_JAMO = (range(0x1100, 0x1200), range(0xD7B0, 0xD800))  # the vowels and finals among them are narrow
_VARIATION_SELECTORS = (range(0xFE00, 0xFE0F), range(0xE0100, 0xE01F0))  # FE0F is the emoji one


class CjkInlineParser(ParserInline):
    """The inline parser of markdown-it with the amended rule; set it as `md.inline`, then call `md.configure()`."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = CjkInlineState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class CjkInlineState(StateInline):
    """Inline state whose delimiter runs (`*`, `_`, `~~`) look at CJK neighbours."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the parent's names
        plain = super().scanDelims(start, canSplitWord)
        end = start + plain.length
        before = self._character_before(start)
        after = self.src[end] if end < self.posMax else " "
        cjk_before, cjk_after = is_cjk(before), is_cjk(after)
        if not (cjk_before or cjk_after):
            return plain

        space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        punctuation_before, punctuation_after = _is_punctuation(before), _is_punctuation(after)
        # What keeps a run from flanking: punctuation, unless it is CJK punctuation.
        hard_before = punctuation_before and not cjk_before
        hard_after = punctuation_after and not cjk_after
        left = not space_after and (not hard_after or space_before or hard_before or cjk_before)
        right = not space_before and (not hard_before or space_after or hard_after or cjk_after)
        return Scanned(
            can_open=left and (canSplitWord or not right or punctuation_before),
            can_close=right and (canSplitWord or not left or punctuation_after),
            length=plain.length,
        )

    def _character_before(self, pos: int) -> str:
        """The character before `pos`, seen through the variation selector of a CJK character."""
        if pos == 0:
            return " "
        character = self.src[pos - 1]
        if pos > 1 and _is_within(character, _VARIATION_SELECTORS) and is_cjk(self.src[pos - 2]):
            return self.src[pos - 2]
        return character


def is_cjk(character: str) -> bool:
    """Whether this is a Chinese, Japanese or Korean character or a punctuation mark of those scripts (no emoji)."""
    if character < "\u1100":
        return False
    if east_asian_width(character) in "WFH":
        return not _is_within(character, _EMOJI_BLOCKS)
    return _is_within(character, _HANGUL_JAMO)


def _is_within(character: str, blocks: tuple[range, ...]) -> bool:
    return any(ord(character) in block for block in blocks)


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)
