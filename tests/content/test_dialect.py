"""The two forms of a work's body are inverse, and no text, however broken, is lost or lets a paywall vanish."""

import json
import re
import uuid
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sishu.content.dialect import Block, to_blocks, to_markdown, unread_fences

CALLOUT = {"kind": "tip", "title": "记住", "text": "**先**看\n\n```\nlog\n```"}


def block(kind: str, value: Any) -> Block:
    return {"type": kind, "value": value}


def without_ids(blocks: list[Block]) -> list[Block]:
    return [block(each["type"], each["value"]) for each in blocks]


def read(markdown: str) -> list[Block]:
    return without_ids(to_blocks(markdown))


WORK = [
    block("prose", "# 开头\n\n他说**“你好”**"),
    block("code", {"language": "python", "code": 'print("你好")\n'}),
    block("callout", CALLOUT),
    block("paywall", {"tier": "PAID"}),
    block("prose", "- 列表\n\n  ```\n  里面\n  ```"),
    block("image", {"image": 42, "alt": "图", "caption": ""}),
    block("poll", [1, 2.5, True, None, {"问": "答"}]),
]
WORK_TEXT = """# 开头

他说**“你好”**

```python
print("你好")

```

````sishu:callout
{
  "kind": "tip",
  "title": "记住",
  "text": "**先**看\\n\\n```\\nlog\\n```"
}
````

```sishu:paywall
{
  "tier": "PAID"
}
```

- 列表

  ```
  里面
  ```

```sishu:image
{
  "image": 42,
  "alt": "图",
  "caption": ""
}
```

```sishu:poll
[
  1,
  2.5,
  true,
  null,
  {
    "问": "答"
  }
]
```"""


def test_a_whole_work_in_both_forms() -> None:
    assert to_markdown(WORK) == WORK_TEXT
    assert read(WORK_TEXT) == WORK


# Reading


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("", []),
        (" \n\t\n", []),
        (
            "a\n```py\nx\n```\nb",
            [block("prose", "a"), block("code", {"language": "py", "code": "x"}), block("prose", "b")],
        ),
        ("~~~ c++\nx\n~~~", [block("code", {"language": "c++", "code": "x"})]),
        ("```\n```", [block("code", {"language": "", "code": ""})]),
        ("```\nleft open\n", [block("code", {"language": "", "code": "left open"})]),
        ("````\n```\n````", [block("code", {"language": "", "code": "```"})]),
        ('```sishu:paywall\r\n{"tier": "PAID"}\r\n```', [block("paywall", {"tier": "PAID"})]),
        ("a\0b", [block("prose", "ab")]),
        ("\n\n　　段首\n", [block("prose", "　　段首")]),
        ("\n    indented code\n", [block("prose", "    indented code")]),
        ('```sishu:image\n{"image": 1}\n```', [block("image", {"image": 1})]),
        ('```sishu:image\n{"image": null}\n```', [block("image", {"image": None})]),
        # A tier nobody knows stays a paywall: closed is the safe reading.
        ('```sishu:paywall\n{"tier": "PIAD"}\n```', [block("paywall", {"tier": "PIAD"})]),
    ],
)
def test_what_reads_as_blocks(markdown: str, blocks: list[Block]) -> None:
    assert read(markdown) == blocks


@pytest.mark.parametrize(
    "prose",
    [
        "- a\n  ```py\n  x\n  ```",
        "> ```py\n> x\n> ```",
        " ```py\nindented by one\n ```",
        " ~~~\n```py\nx\n```\n ~~~",
        "    ```py\n    x\n    ```",
        "inline ```x``` code",
        "```py linenos=1\nx\n```",
        "```a`b\nx",
        "\\```\nx",
        "<pre>\nx\n</pre>",
    ],
)
def test_other_fences_stay_prose(prose: str) -> None:
    assert read(prose) == [block("prose", prose)]
    assert to_markdown(to_blocks(prose)) == prose


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "null",
        "[]",
        '"PAID"',
        "{}",
        '{"tier": 1}',
        '{"tier": "PAID",}',
        '{"tier": "PAID", "tier": "SIGNED_IN"}',
        '{"tier": "\\u0000"}',
        '{"tier": "\\ud800"}',
        '{"tier": "PAID", "more": NaN}',
        '{"tier": "PAID", "more": 1e999}',
        '{"tier": "PAID", "more": ' + "9" * 5000 + "}",
        '{"tier": "PAID", "more": ' + "[" * 40 + "]" * 40 + "}",
        "[" * 100_000,
    ],
    ids=lambda body: body[:40],
)
def test_a_fence_that_cannot_be_read_stays_prose_and_is_named(body: str) -> None:
    markdown = f"前\n\n```sishu:paywall\n{body}\n```\n\n后"
    assert read(markdown) == [block("prose", markdown)]
    assert to_markdown(to_blocks(markdown)) == markdown
    assert unread_fences(markdown) == ["sishu:paywall"]
    assert unread_fences(WORK_TEXT) == []


@pytest.mark.parametrize(
    ("info", "body"),
    [
        ("sishu:image", '{"image": "42"}'),
        ("sishu:image", '{"image": true}'),
        ("sishu:image", '{"image": 0}'),
        ("sishu:image", '{"image": 9223372036854775808}'),
        ("sishu:image", '{"image": 1, "alt": 2}'),
        ("sishu:file", '{"title": "x"}'),
        ("sishu:embed", '{"url": null}'),
        ("sishu:callout", '{"text": ["x"]}'),
        ("sishu:code", '{"code": 1}'),
        ("sishu:prose", '"x"'),
        ("sishu:", "{}"),
        ("sishu:two words", "{}"),
        ("sishu:a|b", "{}"),
    ],
)
def test_a_wrong_shape_stays_prose(info: str, body: str) -> None:
    markdown = f"```{info}\n{body}\n```"
    assert read(markdown) == [block("prose", markdown)]
    assert unread_fences(markdown) == [info]


def test_a_fence_in_the_wrong_place_is_named() -> None:
    paywall = '```sishu:paywall\n{"tier": "PAID"}\n```'
    assert unread_fences("> " + paywall.replace("\n", "\n> ")) == ["sishu:paywall"]
    assert unread_fences(" " + paywall) == ["sishu:paywall"]
    assert unread_fences(paywall) == []


# Writing


def test_blocks_markdown_cannot_spell_plainly_still_survive() -> None:
    odd = [
        block("code", {"language": "c++ 17", "code": "x"}),
        block("code", {"language": "py", "code": "x", "numbered": True}),
        block("widget-2.0", {"a": {"b": [1, "```", "\r\n"]}}),
        block("部件", "x"),
    ]
    assert read(to_markdown(odd)) == odd


def test_a_type_that_is_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="two words"):
        to_markdown([block("two words", {})])


def test_line_ends_of_a_browser_form_become_one_kind() -> None:
    form = [block("prose", "a\r\nb"), block("code", {"language": "", "code": "x\r\ny"})]
    assert read(to_markdown(form)) == [block("prose", "a\nb"), block("code", {"language": "", "code": "x\ny"})]


# Ids


def test_blocks_keep_their_ids() -> None:
    before = to_blocks(WORK_TEXT)
    assert to_blocks(WORK_TEXT, before) == before
    after = to_blocks(WORK_TEXT.replace("开头", "开场").replace("PAID", "SIGNED_IN"), before)
    assert [each["id"] for each in after] == [each["id"] for each in before]


def test_unchanged_blocks_go_first_then_type_and_order_then_new() -> None:
    before = [
        {"type": "code", "value": {"language": "", "code": "1"}, "id": "one"},
        {"type": "code", "value": {"language": "", "code": "2"}, "id": "two"},
        {"type": "code", "value": {"language": "", "code": "2"}, "id": "two"},
        {"type": "image", "value": {"image": 1}},
    ]
    after = to_blocks('```\nnew\n```\n```\n2\n```\n```\n2\n```\n```sishu:image\n{"image": 1}\n```', before)
    assert [each["id"] for each in after[:2]] == ["one", "two"]
    fresh = [each["id"] for each in after[2:]]
    assert len({"one", "two", *fresh}) == 4
    assert all(uuid.UUID(each).version == 4 for each in fresh)


def test_one_and_true_are_different_values() -> None:
    before = [{"type": "x", "value": [True], "id": "true"}, {"type": "x", "value": [1], "id": "one"}]
    assert [each["id"] for each in to_blocks(to_markdown(before[::-1]), before)] == ["one", "true"]


# Properties

NASTY_LINES = st.sampled_from(
    [
        "",
        " ",
        "\t",
        "```",
        "````",
        "~~~",
        "~~~~ ",
        "```py",
        "~~~py",
        " ```",
        "   ~~~",
        "    ```",
        "\t```",
        "```a|b",
        "|-|",
        "```py x",
        "``",
        "- ```",
        "  ```",
        "- a",
        "1. b",
        "> ```",
        "> c",
        ">",
        "#",
        "---",
        "===",
        "|a|",
        "[a]: /b 'c",
        "'",
        "<div>",
        "<!--",
        "中**“文”**",
        "　　段",
        "\u2028\x0b\x0c\x85",
        "\ufeff",
        "```sishu:paywall",
        "~~~sishu:x",
        '{"tier": "PAID"}',
        '{"tier": 3}',
        "{",
        "\\",
        "```\\",
        "&#96;&#96;&#96;",
    ]
)
NASTY_TEXT = st.lists(NASTY_LINES | st.text(max_size=8), max_size=12).map("\n".join) | st.text()
CLEAN_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NASTY_CLEAN = NASTY_TEXT.map(lambda text: re.sub("[\0\r\ud800-\udfff]", "", text))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CLEAN_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CLEAN_TEXT, inner, max_size=3),
    max_leaves=6,
)
CODE = st.fixed_dictionaries({"language": st.from_regex(r"[A-Za-z0-9+#._-]*", fullmatch=True), "code": NASTY_CLEAN})
BLOCKS = st.one_of(
    CODE.map(lambda value: block("code", value)),
    st.fixed_dictionaries({"kind": CLEAN_TEXT, "title": CLEAN_TEXT, "text": NASTY_TEXT}).map(
        lambda value: block("callout", {name: re.sub("[\0\ud800-\udfff]", "", text) for name, text in value.items()})
    ),
    st.fixed_dictionaries({"image": st.integers(1, 2**63 - 1), "alt": CLEAN_TEXT}).map(
        lambda value: block("image", value)
    ),
    st.fixed_dictionaries({"tier": st.sampled_from(["SIGNED_IN", "PAID"])}).map(lambda value: block("paywall", value)),
    st.tuples(st.sampled_from(["poll", "x-1", "部件"]), JSON).map(lambda pair: block(*pair)),
)


def is_canonical_prose(text: str) -> bool:
    """One prose block as it stands, and still one with a fence right after it."""
    return read(f"{text}\n\n~~~end\n~~~") == [block("prose", text), block("code", {"language": "end", "code": ""})]


@settings(max_examples=300, deadline=None)
@given(st.lists(BLOCKS, max_size=5), st.lists(NASTY_CLEAN, min_size=6, max_size=6))
def test_blocks_to_markdown_and_back(others: list[Block], prose: list[str]) -> None:
    blocks: list[Block] = []
    for other, text in zip([*others, None], prose, strict=False):
        if is_canonical_prose(text):
            blocks.append(block("prose", text))
        if other:
            blocks.append(other)
    assert read(to_markdown(blocks)) == blocks


@settings(max_examples=500, deadline=None)
@given(NASTY_TEXT | st.text(st.characters()))
def test_markdown_settles_after_one_round(markdown: str) -> None:
    blocks = to_blocks(markdown)
    canonical = to_markdown(blocks)
    assert to_markdown(to_blocks(canonical)) == canonical
    assert to_markdown(to_blocks(canonical, blocks)) == canonical
    assert len({each["id"] for each in blocks}) == len(blocks)
    types = [each["type"] for each in blocks]
    assert ("prose", "prose") not in pairwise(types)


@settings(max_examples=500, deadline=None)
@given(NASTY_TEXT)
def test_no_word_is_lost(markdown: str) -> None:
    def words(text: str) -> str:
        return "".join(character for character in text if character.isalnum())

    assert words(to_markdown(to_blocks(markdown))) == words(markdown)


@settings(max_examples=500, deadline=None)
@given(NASTY_TEXT)
def test_no_prose_swallows_the_paywall_after_it(text: str) -> None:
    after = read(to_markdown([block("prose", text), block("paywall", {"tier": "PAID"}), block("prose", "秘密")]))
    assert after[-2:] == [block("paywall", {"tier": "PAID"}), block("prose", "秘密")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["callout", "paywall", "image", "x"]), st.text() | JSON.map(json.dumps))
def test_any_fence_body_can_be_read(kind: str, body: str) -> None:
    canonical = to_markdown(to_blocks(f"```sishu:{kind}\n{body}\n```"))
    assert to_markdown(to_blocks(canonical)) == canonical
