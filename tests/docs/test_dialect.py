"""docs/reference/dialect.md beside the blocks it describes."""

from __future__ import annotations

import pytest
from wagtail import blocks

from sishu.content import dialect, drafts, embeds, markdown
from sishu.content.blocks import BodyBlock
from tests.docs.reading import examples, rows, section, words

PAGE = "dialect.md"
BODY = BodyBlock()
KNOWN = {name: block for name, block in BODY.base_blocks.items() if isinstance(block, blocks.StructBlock)}
FIELDS = [(words(row[0])[0], words(row[1])[0], row[2], row[3], row[4]) for row in rows(PAGE, "## Blocks")]


def field_of(block: str, name: str) -> blocks.Block:
    return KNOWN[block].child_blocks[name]


def test_every_block_and_field_is_in_the_table():
    written = {block: [name for of, name, *_rest in FIELDS if of == block] for block, *_rest in FIELDS}
    assert written == {name: list(shape) for name, shape in dialect._SHAPES.items()}
    assert {name: set(names) for name, names in written.items()} == {
        name: set(block.child_blocks) for name, block in KNOWN.items()
    }
    assert set(BODY.base_blocks) - set(KNOWN) == {"prose", "locked"}


@pytest.mark.parametrize(("block", "name", "_holds", "left_out", "_published"), FIELDS)
def test_what_may_be_left_out_may_be_left_out(block, name, _holds, left_out, _published):
    first = next(iter(dialect._SHAPES[block]))
    assert (left_out == "") == (name == first)
    if left_out:
        field = field_of(block, name)
        assert not field.required or field.meta.default


@pytest.mark.parametrize(("block", "name", "holds", "_left_out", "published"), FIELDS)
def test_the_measures_are_those_of_the_code(block, name, holds, _left_out, published):
    field = field_of(block, name)
    length = getattr(field.field, "max_length", None)
    assert [int(word) for word in words(published) if word.isdigit()] == ([length] if length else [])
    if isinstance(field, blocks.ChoiceBlock):
        assert words(holds) == [str(key) for key, _label in field.field.choices if key]


def test_the_sites_of_embeds_are_all_named():
    item = section(PAGE, "## Blocks").partition("- **Embeds**")[2].partition("\n- **")[0]
    assert words(item) == list(embeds.PROVIDERS)


def test_the_limits_are_those_of_the_code():
    assert [int(word) for row in rows(PAGE, "## Limits and refusals") for word in words(row[1])] == [
        drafts.MAX_MARKDOWN_BYTES
    ]
    assert f"`{dialect._MAX_DEPTH}` levels" in " ".join(section(PAGE, "## What is not a block").split())
    assert f"`{drafts.REVISIONS_TO_SEARCH}` versions" in section(PAGE, "## What survives")


@pytest.mark.parametrize("text", [text for _about, text in examples(PAGE, "markdown")])
def test_every_example_reads_as_it_stands(text):
    read = dialect.to_blocks(text)
    assert dialect.to_markdown(read) == text, "canonical, and the same again"
    is_refused = "hides nothing" in text
    assert bool(dialect.unread_fences(text)) is is_refused
    assert is_refused or len(read) > 2


def test_the_examples_show_every_block():
    shown = {block["type"] for _about, text in examples(PAGE, "markdown") for block in dialect.to_blocks(text)}
    assert shown == {"prose", *KNOWN}


def test_what_the_page_says_of_prose():
    assert "<strong>" in markdown.render("他说**“你好”**世界")
    assert "&lt;b&gt;" in markdown.render("<b>")
    assert [heading.anchor for heading in markdown.headings("## 第一章\n\n## 第一章")] == ["h-第一章", "h-第一章-2"]
    assert f'rel="{markdown._EXTERNAL_REL}"' in section(PAGE, "## Prose")
    assert "<img" not in markdown.render("![a](https://b.example/c.png)")
    assert "<s>" in markdown.render("~~strikethrough~~")
    assert 'href="ftp' not in markdown.render("[a](ftp://b.example)")


@pytest.mark.parametrize("block", ["code", "callout", "image", "file", "embed", "paywall"])
def test_more_fields_than_the_table_names_are_read(block):
    values = {"code": "x", "text": "x", "image": 1, "document": 1, "url": "x", "tier": "PAID"}
    first = next(iter(dialect._SHAPES[block]))
    value = {first: values[first], "more": [1]}
    text = dialect.to_markdown([{"type": block, "value": value}])
    assert [(one["type"], one["value"]) for one in dialect.to_blocks(text)] == [(block, value)]
