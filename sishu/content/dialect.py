"""The body of a work in its two forms: StreamField blocks (raw data) and one Markdown text.

Prose is itself, code is a fenced block, every other block is a fence `sishu:<type>` around its value as JSON.
Only a fence at column 0 outside lists and quotes is a block; any other fence belongs to the prose around it.

Canonical blocks: prose has no blank line at either end, is not empty, never follows prose, leaves no fence open and holds
no fence that reads as a block; code has a plain language; texts are as `normalise` leaves them; values are JSON of sane
depth and of the shape their type has. On these, and on the texts made from them, the two functions are inverse.
"""

import json
import math
import re
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sishu.content.markdown import normalise
from sishu.core.ids import MAX_ID
from sishu.core.strict_json import UNSTORABLE, refuse_constant

Block = dict[str, Any]

_MAX_DEPTH = 32  # of a JSON value: Python's own reader and writer give up at different depths
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]*")
_TYPE = re.compile(r"[\w.-]+")
_PREFIX = "sishu:"

# Where fences begin and end is for the parser to say: it knows lists, quotes and fences in fences.
_parser = MarkdownIt("commonmark", {"html": False}).enable("table")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_id(value: Any) -> bool:
    return value is None or (type(value) is int and 0 < value <= MAX_ID)


# The first field must be there; the others may be left out.
_SHAPES: dict[str, dict[str, Callable[[Any], bool]]] = {
    "code": {"code": _is_text, "language": _is_text},
    "callout": {"text": _is_text, "kind": _is_text, "title": _is_text},
    "image": {"image": _is_id, "alt": _is_text, "caption": _is_text},
    "file": {"document": _is_id, "title": _is_text},
    "embed": {"url": _is_text, "caption": _is_text},
    "paywall": {"tier": _is_text},
}


def to_markdown(blocks: Iterable[Block]) -> str:
    """Write blocks as one Markdown text. Prose that leaves a fence open gets it closed, so that it swallows no paywall.

    Raises ValueError for a block type that is not one word.
    """
    return "\n\n".join(text for block in blocks if (text := _write(block["type"], block["value"])))


def to_blocks(markdown: str, previous: Iterable[Block] = ()) -> list[Block]:
    """Read a Markdown text into blocks with ids; any text will do.

    A `sishu:` fence that cannot be read stays in the prose as it is (`unread_fences` names them). A block that equals
    one in `previous` keeps its id; the rest take the ids left over by blocks of their type, in order; then new ones.
    """
    source = normalise(markdown)
    lines = source.split("\n")
    blocks: list[Block] = []
    prose_start = 0
    for fence in _fences(source):
        if (block := _read(fence)) is None:
            continue
        blocks += _prose(lines[prose_start : fence.start])
        blocks.append(block)
        prose_start = fence.end
    blocks += _prose(lines[prose_start:])
    _keep_ids(blocks, previous)
    return blocks


def unread_fences(markdown: str) -> list[str]:
    """The `sishu:` fences that stay prose because of bad JSON, a wrong shape or their place.

    Each was meant as a block. Refuse to publish them: a paywall that is only text hides nothing.
    """
    return [
        fence.info for fence in _fences(normalise(markdown)) if fence.info.startswith(_PREFIX) and _read(fence) is None
    ]


def fences_in_prose(blocks: Iterable[Block]) -> list[tuple[str, bool]]:
    """The `sishu:` fences that lie in prose blocks, and whether each can be read as a block.

    Readers see them as text, whatever they say. `to_blocks` leaves none that can be read; a form of block by block may.
    """
    return [
        (fence.info, _read(fence) is not None)
        for block in blocks
        if block["type"] == "prose" and isinstance(block["value"], str)
        for fence in _fences(normalise(block["value"]))
        if fence.info.startswith(_PREFIX)
    ]


@dataclass(frozen=True)
class _Fence:
    """A fenced block found in a text: lines `start` to `end`, without `end`."""

    start: int
    end: int
    info: str
    body: str
    markup: str
    is_top: bool  # in no list or quote
    is_flush: bool  # at column 0
    is_closed: bool


def _fences(source: str) -> Iterator[_Fence]:
    lines = source.split("\n")
    tokens: list[Token] = []
    _parser.block.parse(source, _parser, {}, tokens)
    for token in tokens:
        if token.type != "fence" or token.map is None:
            continue
        start, end = token.map
        closing = re.compile(rf" {{0,3}}{re.escape(token.markup)}{re.escape(token.markup[0])}*[ \t]*")
        is_closed = end - start > 1 and closing.fullmatch(lines[end - 1]) is not None
        yield _Fence(
            start=start,
            end=end,
            info=token.info.strip(" \t"),
            body="\n".join(lines[start + 1 : end - is_closed]),
            markup=token.markup,
            is_top=token.level == 0,
            is_flush=lines[start].startswith(token.markup),
            is_closed=is_closed,
        )


def _read(fence: _Fence) -> Block | None:
    if not (fence.is_top and fence.is_flush):
        return None
    if _LANGUAGE.fullmatch(fence.info):
        return {"type": "code", "value": {"language": fence.info, "code": fence.body}}
    name = fence.info.removeprefix(_PREFIX)
    if not fence.info.startswith(_PREFIX) or not _TYPE.fullmatch(name) or name == "prose":
        return None
    try:
        value = json.loads(fence.body, object_pairs_hook=_object, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None
    return {"type": name, "value": value} if _is_sane(value) and _has_shape(name, value) else None


def _write(name: str, value: Any) -> str:
    if name == "prose" and isinstance(value, str):
        return _write_prose(value)
    if name == "code" and _is_plain_code(value):
        return _fenced(value["language"], normalise(value["code"]))
    if not _TYPE.fullmatch(name):
        raise ValueError(
            f"Block type {name!r} has no Markdown form; it must be one word of letters, digits, '_', '-', '.'."
        )
    return _fenced(_PREFIX + name, json.dumps(value, ensure_ascii=False, indent=2))


def _write_prose(value: str) -> str:
    prose = _without_blank_ends(normalise(value).split("\n"))
    last = deque((fence for fence in _fences(prose) if fence.is_top), maxlen=1)
    if last and not last[0].is_closed:
        return f"{prose}\n{last[0].markup}"
    return prose


def _is_plain_code(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"language", "code"}
        and all(isinstance(text, str) for text in value.values())
        and _LANGUAGE.fullmatch(value["language"]) is not None
    )


def _fenced(info: str, body: str) -> str:
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{body}\n{fence}"


def _prose(lines: list[str]) -> list[Block]:
    text = _without_blank_ends(lines)
    return [{"type": "prose", "value": text}] if text else []


def _without_blank_ends(lines: list[str]) -> str:
    """Join lines, leaving out blank ones at both ends. Indents stay: they are code, or a Chinese paragraph's 　　."""
    kept = [number for number, line in enumerate(lines) if line.strip(" \t")]
    return "\n".join(lines[kept[0] : kept[-1] + 1]) if kept else ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice in one object: reading it would lose a value")
    return value


def _is_sane(value: Any, depth: int = 0) -> bool:
    """Whether the databases can hold this value and `json` can write it again."""
    if isinstance(value, str):
        return UNSTORABLE.search(value) is None
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return depth < _MAX_DEPTH and all(_is_sane(part, depth + 1) for part in value)
    return True


def _has_shape(name: str, value: Any) -> bool:
    shape = _SHAPES.get(name)
    if shape is None:
        return True
    if not isinstance(value, dict) or next(iter(shape)) not in value:
        return False
    return all(fits(value[field]) for field, fits in shape.items() if field in value)


def _keep_ids(blocks: list[Block], previous: Iterable[Block]) -> None:
    known = {block["id"]: block for block in previous if block.get("id")}
    for key in (_fingerprint, lambda block: str(block["type"])):
        used = {block["id"] for block in blocks if "id" in block}
        free: defaultdict[str, deque[str]] = defaultdict(deque)
        for known_id, block in known.items():
            if known_id not in used:
                free[key(block)].append(known_id)
        for block in blocks:
            if "id" not in block and free[key(block)]:
                block["id"] = free[key(block)].popleft()
    for block in blocks:
        block.setdefault("id", str(uuid.uuid4()))


def _fingerprint(block: Block) -> str:
    """Type and value as text; JSON tells 1, 1.0 and true apart, Python's == does not."""
    return json.dumps([block["type"], block["value"]], sort_keys=True)
