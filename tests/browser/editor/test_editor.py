"""The writer's editor in a real browser, under the site's content policy."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.editor.conftest import SAMPLE
from tests.browser.editor.site import Site

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8ffff3f0005fe02fe0def46b8"
    "0000000049454e44ae426082"
)


def write(page: Page, site: Site, body: str = SAMPLE) -> Locator:
    """Open the writer's page on a text; gives the sheet."""
    site.body = body
    page.goto(site.url)
    sheet = page.get_by_role("textbox", name="正文")
    expect(sheet).to_be_visible()
    return sheet


def text(page: Page) -> str:
    """What the form would send."""
    return page.locator("textarea[name=body]").input_value()


def to_end(page: Page, sheet: Locator) -> None:
    sheet.locator("p").last.click()
    page.keyboard.press("End")


def press(page: Page, name: str) -> None:
    page.get_by_role("toolbar").get_by_role("button", name=name, exact=True).click()


def test_an_untouched_text_stays_as_it_was_to_the_byte(page: Page, site: Site) -> None:
    odd = "Setext\n======\n\n\n*  loose\n\n*  list\n\n1) x\n\n* * *\n[a]: https://example.com\n\n| a |\n|-|\n"
    for body in (SAMPLE, odd, "", "\n\n一行"):
        sheet = write(page, site, body)
        sheet.click()
        page.keyboard.press("ArrowDown")
        assert text(page) == body


def test_chinese_emphasis_is_bold_on_the_sheet_and_plain_in_the_text(page: Page, site: Site) -> None:
    sheet = write(page, site, "他说**“你好”**世界\n\n**注意：**这里\n\n*着重*的字")
    assert sheet.locator("strong").all_inner_texts() == ["“你好”", "注意："]
    assert sheet.locator("em").all_inner_texts() == ["着重"]
    for paragraph in (0, 1, 2):
        sheet.locator("p").nth(paragraph).click()
        page.keyboard.press("End")
        page.keyboard.type("。")
    assert text(page) == "他说**“你好”**世界。\n\n**注意：**这里。\n\n*着重*的字。"


def test_typing_changes_only_the_block_it_is_in(page: Page, site: Site) -> None:
    sheet = write(page, site)
    page.evaluate("addEventListener('input', () => (window.inputs = (window.inputs ?? 0) + 1))")
    to_end(page, sheet)
    page.keyboard.type("[注]不转义 a_b")
    assert text(page) == SAMPLE.rstrip("\n") + "[注]不转义 a_b\n"
    assert page.evaluate("window.inputs") >= 1


def test_an_input_method_writes_what_was_chosen(page: Page, site: Site) -> None:
    sheet = write(page, site, "**注意：**")
    to_end(page, sheet)
    keyboard = page.context.new_cdp_session(page)
    for stage in ("n", "ni", "ni hao"):
        keyboard.send(
            "Input.imeSetComposition", {"text": stage, "selectionStart": len(stage), "selectionEnd": len(stage)}
        )
    keyboard.send("Input.insertText", {"text": "你好"})
    assert text(page) == "**注意：你好**"
    expect(page.locator("[data-word-count]")).to_have_text("4 字")


def test_undoing_everything_gives_the_first_text_back(page: Page, site: Site) -> None:
    sheet = write(page, site)
    to_end(page, sheet)
    page.keyboard.type("多余")
    page.keyboard.press("Control+z")
    assert text(page) == SAMPLE


def test_markdown_typed_becomes_what_it_means(page: Page, site: Site) -> None:
    sheet = write(page, site, "")
    sheet.click()
    page.keyboard.type("## 题\n**粗**字\n- 一\n二\n")
    assert sheet.locator("h2").inner_text() == "题"
    assert sheet.locator("li").count() == 3
    page.keyboard.press("Enter")  # an empty item ends the list
    page.keyboard.type("> 引")
    assert text(page) == "## 题\n\n**粗**字\n\n- 一\n- 二\n\n> 引"


def test_a_paywall_is_put_in_once_for_each_tier(page: Page, site: Site) -> None:
    sheet = write(page, site, "上文\n\n下文")
    sheet.locator("p").first.click()
    press(page, "付费线")
    assert text(page) == '上文\n\n```sishu:paywall\n{\n  "tier": "PAID"\n}\n```\n\n下文'
    expect(sheet.locator(".cutline")).to_contain_text("以上 2 字任何人可读")
    sheet.locator("p").first.click()
    press(page, "付费线")
    assert text(page).count('"SIGNED_IN"') == 1
    expect(page.get_by_role("toolbar").get_by_role("button", name="付费线", exact=True)).to_be_disabled()
    taken = sheet.locator(".cutline").first.locator("option[value=PAID]")
    assert taken.is_disabled()


def test_one_writes_on_below_a_paywall_that_ends_the_text(page: Page, site: Site) -> None:
    sheet = write(page, site, "上文")
    sheet.locator("p").first.click()
    press(page, "付费线")
    page.keyboard.type("下文")
    assert text(page) == '上文\n\n```sishu:paywall\n{\n  "tier": "PAID"\n}\n```\n\n下文'


def test_the_tier_of_a_paywall_can_be_changed(page: Page, site: Site) -> None:
    sheet = write(page, site)
    sheet.get_by_label("以下谁能读").select_option("登录可读")
    assert text(page) == SAMPLE.replace('"tier": "PAID"', '"tier": "SIGNED_IN"')


def test_a_field_changes_its_value_and_nothing_else(page: Page, site: Site) -> None:
    body = '```sishu:callout\n{\n  "kind": "tip",\n  "colour": "绿",\n  "title": "旧",\n  "text": ""\n}\n```'
    sheet = write(page, site, body)
    sheet.get_by_label("标题").fill("新 “题” \\ ``` 完")
    fence, value = text(page).split("\n", 1)[0], text(page).split("\n", 1)[1].rsplit("\n", 1)[0]
    assert fence == "````sishu:callout"  # longer than the backticks inside
    assert json.loads(value) == {"kind": "tip", "colour": "绿", "title": "新 “题” \\ ``` 完", "text": ""}
    assert value == json.dumps(json.loads(value), ensure_ascii=False, indent=2)


def test_an_unknown_block_is_locked_and_kept(page: Page, site: Site) -> None:
    sheet = write(page, site)
    card = sheet.locator("[data-card=poll]")
    expect(card).to_contain_text("原样保留")
    assert card.locator("input, textarea, select").count() == 0
    card.click()
    page.keyboard.type("abc")  # a key does not eat a selected block
    assert text(page) == SAMPLE
    card.get_by_role("button", name="上移").click()
    block = '```sishu:poll\n{"question":"你上次恢复是哪天？",   "options": ["今年", "去年", "不记得"]}\n```'
    assert block in text(page)
    assert text(page) != SAMPLE


def test_a_block_whose_text_is_not_json_is_locked_and_kept(page: Page, site: Site) -> None:
    body = "```sishu:callout\n{oops\n```\n\n尾"
    sheet = write(page, site, body)
    expect(sheet.locator(".is-locked")).to_be_visible()
    to_end(page, sheet)
    page.keyboard.type("巴")
    assert text(page) == body + "巴"


def test_an_image_is_uploaded_with_the_token_and_set_between_the_blocks(page: Page, site: Site) -> None:
    sheet = write(page, site, "上文\n\n下文")
    sheet.locator("p").first.click()
    with page.expect_file_chooser() as chooser:
        press(page, "图")
    chooser.value.set_files({"name": "lamp.png", "mimeType": "image/png", "buffer": PNG})
    expect(sheet.locator("img")).to_have_attribute("src", "/writing/images/43")
    value = '{\n  "image": 43,\n  "alt": "一盏灯",\n  "caption": ""\n}'
    assert text(page) == f"上文\n\n```sishu:image\n{value}\n```\n\n下文"
    path, token, sent = site.posts[0]
    assert (path, token) == ("/writing/images", "token")
    assert PNG in sent


def test_a_refused_upload_says_why_and_leaves_the_text(page: Page, site: Site) -> None:
    sheet = write(page, site, "上文")
    site.answer_with = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    sheet.click()
    with page.expect_file_chooser() as chooser:
        press(page, "文件")
    chooser.value.set_files({"name": "big.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.get_by_role("status").filter(has_text="big.pdf 没有传上去：图片太大")).to_be_visible()
    assert text(page) == "上文"


def test_a_link_is_made_changed_and_taken_away(page: Page, site: Site) -> None:
    sheet = write(page, site, "去看书吧")
    sheet.locator("p").dblclick()
    page.keyboard.press("Control+a")
    press(page, "链接")
    page.get_by_label("网址").fill("example.com/读（一）")
    page.keyboard.press("Enter")
    assert text(page) == "[去看书吧](https://example.com/读（一）)"
    assert "/submit" not in page.url  # Enter did not send the form around
    page.keyboard.press("ArrowLeft")
    press(page, "链接")
    page.get_by_role("button", name="去掉链接").click()
    assert text(page) == "去看书吧"


def test_a_table_is_filled_with_tab_and_enter(page: Page, site: Site) -> None:
    sheet = write(page, site, "")
    sheet.click()
    press(page, "表")
    for word in ("名", "数", "a|b"):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    page.keyboard.type("一")
    page.keyboard.press("Enter")
    page.keyboard.type("二")
    page.get_by_role("button", name="加一行").click()
    table = "| 名 | 数 | a\\|b |\n| --- | --- | --- |\n| 一 |  |  |\n| 二 |  |  |\n|  |  |  |"
    assert text(page) == table


def test_the_source_can_be_written_too(page: Page, site: Site) -> None:
    write(page, site, "一段")
    page.get_by_role("button", name="源码").click()
    area = page.locator("textarea[name=body]")
    expect(page.locator(".ProseMirror")).to_be_hidden()
    area.fill("## 新题\n\n**粗**")
    page.get_by_role("button", name="源码").click()
    sheet = page.locator(".ProseMirror")
    expect(sheet.locator("h2")).to_have_text("新题")
    assert text(page) == "## 新题\n\n**粗**"


def test_a_value_set_from_outside_comes_onto_the_sheet(page: Page, site: Site) -> None:
    sheet = write(page, site, "旧")
    page.locator("textarea[name=body]").evaluate(
        "area => { area.value = '**新**'; area.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    expect(sheet.locator("strong")).to_have_text("新")


def test_plain_lines_are_pasted_as_paragraphs_and_foreign_styles_stay_out(page: Page, site: Site) -> None:
    sheet = write(page, site, "")
    sheet.click()
    paste = """([kind, data]) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData(kind, data);
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(paste, ["text/plain", "第一段\n第二段"])
    assert text(page) == "第一段\n\n第二段"
    page.keyboard.press("Control+a")
    page.evaluate(paste, ["text/html", '<p style="color:red">甲<b onclick="x()">乙</b><script>1</script></p>'])
    assert text(page) == "甲**乙**"


def test_html_in_the_text_is_inert(page: Page, site: Site) -> None:
    body = "<img src=x onerror=alert(1)> 与 <b>粗</b> [x](javascript:alert(1))"
    sheet = write(page, site, body)
    assert sheet.locator("img, b, a").count() == 0
    to_end(page, sheet)
    page.keyboard.type("。")
    assert text(page) == body + "。"


def test_the_toolbar_is_walked_with_the_arrow_keys(page: Page, site: Site) -> None:
    write(page, site, "一段")
    first = page.get_by_role("toolbar").get_by_role("button").first
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="小标题")).to_be_focused()
    page.keyboard.press("Enter")
    assert text(page) == "### 一段"
    expect(page.get_by_role("button", name="小标题")).to_have_attribute("aria-pressed", "true")


def test_a_lone_prose_block_in_the_studio_offers_text_only(page: Page, site: Site) -> None:
    page.goto(site.url + "/studio")
    sheet = page.get_by_role("textbox", name="Prose")
    expect(sheet).to_have_attribute("aria-required", "true")
    names = page.get_by_role("toolbar").get_by_role("button").all_inner_texts()
    assert "Table" in names
    assert not {"Image", "File", "Embed", "Paywall", "Note", "Code"} & set(names)
    page.get_by_text("Prose", exact=True).click()  # the label leads to the sheet
    expect(sheet).to_be_focused()
