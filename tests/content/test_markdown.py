"""What a reader sees of Markdown source: emphasis in every script, nothing harmful, anchors, words."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sishu.content.emphasis import CjkInlineParser
from sishu.content.markdown import (
    Anchors,
    Heading,
    count_words,
    headings,
    normalise,
    plain_text,
    reading_minutes,
    render,
)


def inline(source: str) -> str:
    """Rendered HTML of one paragraph, without the paragraph."""
    return render(source).strip().removeprefix("<p>").removesuffix("</p>")


# Emphasis


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("他说**“你好”**世界", "他说<strong>“你好”</strong>世界"),
        ("**注意：**这里", "<strong>注意：</strong>这里"),
        ("这是**（重要）**的", "这是<strong>（重要）</strong>的"),
        ("**「引号」**后", "<strong>「引号」</strong>后"),
        ("先**《书名》**再看", "先<strong>《书名》</strong>再看"),
        ("共**¥9.90**元", "共<strong>¥9.90</strong>元"),
        ("运行**`make`**命令", "运行<strong><code>make</code></strong>命令"),
        ("看**[链接](/a)**吧", '看<strong><a href="/a">链接</a></strong>吧'),
        ("**很好！**", "<strong>很好！</strong>"),
        ("*斜体。*后", "<em>斜体。</em>后"),
        ("***都要。***后", "<em><strong>都要。</strong></em>后"),
        ("删~~“旧的”~~新", "删<s>“旧的”</s>新"),
        ("~~删除。~~了", "<s>删除。</s>了"),
        ("**API（接口）**的API", "<strong>API（接口）</strong>的API"),
        ("カッコ**（注意）**です", "カッコ<strong>（注意）</strong>です"),
        ("**この文。**残り", "<strong>この文。</strong>残り"),
        ("**이 용어(This term)**를 강조", "<strong>이 용어(This term)</strong>를 강조"),
        ("**ᅡ!**를", "<strong>ᅡ!</strong>를"),
        ("禰󠄀**(注)**宜", "禰󠄀<strong>(注)</strong>宜"),
        ("**葛󠄀。**城", "<strong>葛󠄀。</strong>城"),
        ("**“\ufe01注”\ufe01**后", "<strong>“\ufe01注”\ufe01</strong>后"),
        ("𠮷**(注)**野", "𠮷<strong>(注)</strong>野"),
        ("中文_（不）_中", "中文_（不）_中"),  # an underscore inside a word stays one, as in CommonMark
        ("二 ** 三 ** 四", "二 ** 三 ** 四"),
        ("中**文", "中**文"),
    ],
)
def test_emphasis_works_beside_cjk_text(source: str, html: str) -> None:
    assert inline(source) == html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("an *em* word", "an <em>em</em> word"),
        ("a**bold**c", "a<strong>bold</strong>c"),
        ('say**"hi"**now', 'say**"hi"**now'),
        ("say**“hi”**now", "say**“hi”**now"),
        ("**Hi!**😀", "<strong>Hi!</strong>😀"),  # to CommonMark an emoji is punctuation
        ("snake_case_name", "snake_case_name"),
        ("_under_ and __under__", "<em>under</em> and <strong>under</strong>"),
        ("*foo**bar**baz*", "<em>foo<strong>bar</strong>baz</em>"),
        ("***foo** bar*", "<em><strong>foo</strong> bar</em>"),
        ("** no **", "** no **"),
        ("foo*(bar)*", "foo*(bar)*"),
        (r"\*plain\*", "*plain*"),
        ("~~gone~~ ~kept~", "<s>gone</s> ~kept~"),
        ("*a `*` b*", "<em>a <code>*</code> b</em>"),
        ("*[a*](/b)", '*<a href="/b">a*</a>'),
    ],
)
def test_latin_emphasis_is_plain_commonmark(source: str, html: str) -> None:
    assert inline(source) == html


def _commonmark() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


PLAIN = _commonmark()
AMENDED = MarkdownIt()
AMENDED.inline = CjkInlineParser()
AMENDED.configure("commonmark", {"html": False}).enable(["table", "strikethrough"])


@settings(max_examples=600, deadline=None)
@given(st.text(st.sampled_from("****__~~ab.,!(“”é—😀⌚☔…[]()`\\ \n\ufe0e\ufe0f\u00a0"), max_size=30))
def test_text_without_cjk_renders_as_plain_commonmark(source: str) -> None:
    assert AMENDED.render(source) == PLAIN.render(source)


# Safety


ALLOWED = "p h2 h3 h4 ul ol li blockquote em strong s code pre a div table thead tbody tr th td hr br"


class Tags(HTMLParser):
    """Collects every element and attribute of a rendered page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    "![x](data:image/png;base64,AAAA)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](ftp://example.com)",
    "<javascript:alert(1)>",
    '[x](/a "\\" onmouseover=\\"alert(1)")',
    '![" onerror="alert(1)](/x)',
    "[a]: javascript:alert(1)\n\n[a]",
    '```"><script>\nx\n```',
    "# <b onclick=x>",
    "|<i>|\n|-|\n|</table>|",
    "<!-- -->",
    "&lt;script&gt;",
]


def assert_safe(html: str) -> None:
    seen = Tags(html)
    assert seen.tags <= set(ALLOWED.split())
    for tag, name, value in seen.attributes:
        assert name in {"href", "title", "rel", "id", "class", "start"}, (tag, name)
        if name == "href":
            assert not re.search(r"[\x00-\x20]", value), "browsers skip these inside a scheme"
            scheme = re.match(r"[a-z][a-z0-9+.-]*(?=:)", value, re.IGNORECASE)
            assert scheme is None or scheme[0].lower() in {"http", "https", "mailto"}, value


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_source_is_inert(source: str) -> None:
    assert_safe(render(source))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(), max_size=6).map("\n".join))
def test_any_source_renders_safely(source: str) -> None:
    assert_safe(render(source))


def test_html_is_shown_as_text() -> None:
    assert inline("a <b>c</b>") == "a &lt;b&gt;c&lt;/b&gt;"


@pytest.mark.parametrize("character", ["\0", "\ud800"], ids=ascii)
def test_what_utf8_or_a_database_refuses_never_arrives(character: str) -> None:
    assert character not in render(f"a{character}b")
    assert character not in plain_text(f"a{character}b")
    assert normalise(f"a\r\nb\rc{character}").startswith("a\nb\nc")


def test_external_links_lend_no_trust_and_internal_ones_stay_plain() -> None:
    rel = 'rel="noopener nofollow ugc"'
    assert inline("[x](https://example.com)") == f'<a href="https://example.com" {rel}>x</a>'
    assert rel in inline("[x](//example.com)")
    assert rel in inline("<http://example.com>")
    assert inline("[x](/shop#top)") == '<a href="/shop#top">x</a>'
    assert inline("[x](#top)") == '<a href="#top">x</a>'
    assert inline("[x](mailto:a@example.com)") == '<a href="mailto:a@example.com">x</a>'


def test_bare_addresses_are_not_linked_and_quotes_not_curled() -> None:
    assert inline('see www.example.com -- "so"') == 'see www.example.com -- "so"'


def test_an_image_in_prose_is_a_link_to_it() -> None:
    assert inline('![图](/a.png "题")') == '<a href="/a.png" title="题">图</a>'
    assert inline("![](/a.png)") == '<a href="/a.png">/a.png</a>'
    assert inline("[![图](/a.png)](/b)") == '<a href="/b">图</a>'
    assert inline("[甲](/b)![乙](/c)") == '<a href="/b">甲</a><a href="/c">乙</a>'


# Structure


def test_tables_can_scroll_and_align_without_style_attributes() -> None:
    html = render("|甲|乙|丙|\n|:-|:-:|-:|\n|1|2|3|")
    assert html.startswith('<div class="table-wrap"><table>')
    assert html.endswith("</table></div>\n")
    assert '<td class="align-center">2</td>' in html
    assert "style" not in html


def test_lists_keep_their_start() -> None:
    assert '<ol start="3">' in render("3. 三\n4. 四")


def test_headings_lie_between_h2_and_h4() -> None:
    assert [heading.level for heading in headings("# a\n## b\n### c\n#### d\n##### e\n###### f")] == [2, 2, 3, 4, 4, 4]
    assert "<h1" not in render("# a\n\nb\n===")


def test_headings_are_anchored_by_their_words() -> None:
    source = "# 第一章：**开始**\n\n## C++ & `make`\n\n- # 列表里\n\n## ！！"
    assert headings(source) == [
        Heading(2, "第一章：开始", "h-第一章-开始"),
        Heading(2, "C++ & make", "h-c-make"),
        Heading(2, "列表里", "h-列表里"),
        Heading(2, "！！", "h-section"),
    ]
    html = render(source)
    assert all(f'id="{heading.anchor}"' in html for heading in headings(source))


def test_anchors_are_unique_in_one_render_and_across_a_page() -> None:
    assert [heading.anchor for heading in headings("# a\n# a-2\n# a\n# a")] == ["h-a", "h-a-2", "h-a-3", "h-a-4"]
    page = Anchors(prefix="work-")
    assert 'id="work-引言"' in render("# 引言", page)
    assert 'id="work-引言-2"' in render("# 引言", page)
    assert 'id="h-引言"' in render("# 引言"), "a render without anchors starts afresh"


# Words


def test_plain_text_has_words_and_no_markup() -> None:
    source = "# 标**题**\n\n一段\n接着 [链接](/a)，`码`\n\n- 甲\n- two\n  lines\n\n```py\nx = 1\n```\n\n![图](/a.png)\\\n完 <b>"
    assert plain_text(source) == "标题\n一段接着 链接，码\n甲\ntwo lines\nx = 1\n图完 <b>"


def test_plain_text_keeps_spaces_between_korean_lines() -> None:
    assert plain_text("한국어\n문장") == "한국어 문장"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("你好，世界！", 4),
        ("hello, world", 2),
        ("it's a well-known fact", 4),
        ("用Django写API", 4),
        ("𠮷野家 3 家", 5),
        ("ひらがな", 4),
        ("한국어 문장", 2),
        ("… —— ** _", 0),
    ],
)
def test_words_are_counted_as_an_editor_would(text: str, count: int) -> None:
    assert count_words(text) == count


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("", 1), ("字" * 400, 1), ("字" * 401, 2), ("word " * 440, 2), ("字" * 400 + " word" * 220, 2), ("字" * 4000, 10)],
)
def test_reading_time(text: str, minutes: int) -> None:
    assert reading_minutes(text) == minutes


# Cost


@pytest.mark.parametrize(
    "source",
    [
        "# a\n" * 5000,
        "**你。" * 5000,
        "[" * 5000,
        "> " * 2000,
        "- " * 2000,
        "*a **b " * 3000,
        "![" * 3000,
        "~~，" * 5000,
    ],
)
def test_hostile_size_costs_no_more_than_its_length(source: str) -> None:
    started = time.process_time()
    render(source)
    assert time.process_time() - started < 4
