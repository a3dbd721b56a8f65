/* Markdown → document → Markdown, without a browser: `node --test tests/browser/editor/roundtrip.mjs`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDocument } from "../../../sishu/web/assets/editor/markdown/reading.js";
import { schema } from "../../../sishu/web/assets/editor/markdown/schema.js";
import { MarkdownText } from "../../../sishu/web/assets/editor/markdown/writing.js";

/** Written by us from the document alone, with nothing of the old text to lean on. */
const rewrite = (text) => new MarkdownText().write(readDocument(text, {}));

const AS_WRITTEN = [
  "他说**“你好”**世界",
  "**注意：**这里",
  "**《书》**（注）与*着重*、***两样***、~~删~~",
  "见[注]与 a_b_c，1. 2，5*3*2，~100~ 元，C# 与 <b>，A&B",
  "1\\. 不是列表",
  "\\# 不是标题",
  "&#x61;**(b)**&#x63;",
  "- 一\n- 二\n\n1) x",
  "- 甲\n\n  乙\n\n- 丙",
  "1. a\n2. b\n   - c\n\n     d",
  "- ```py\n  x\n  ```",
  "> 引\n>\n> - 表",
  "| 甲 | 乙 |\n| :---: | ---: |\n| 一 | 二\\|三 `x\\|y` |",
  '[文](</搜 索> "题")与![图](/a.png)与<https://a.cn/x>',
  "第一行\n第二行\\\n第三行",
  "````md\n```\n里面\n```\n````",
  '```sishu:paywall\n{"tier":   "PAID"}\n```',
  "```sishu:无人知晓\n{oops\n```",
  "## C# \\#",
];

for (const text of AS_WRITTEN)
  test(`is written as it was read: ${JSON.stringify(text)}`, () => assert.equal(rewrite(text), text));

test("a fence inside a list or after blanks stays text of the work", () => {
  for (const text of ["- ```sishu:paywall\n  {}\n  ```", " ```sishu:paywall\n {}\n ```"]) {
    let cards = 0;
    readDocument(text, {}).descendants((node) => void (cards += node.type.name === "card"));
    assert.equal(cards, 0);
  }
});

test("two lists in a row stay two", () => {
  const doc = readDocument("- a\n\nx\n\n- b", {});
  const both = schema.topNodeType.create(null, [doc.child(0), doc.child(2)]);
  const text = new MarkdownText().write(both);
  assert.equal(text, "- a\n\n* b");
  assert.equal(readDocument(text, {}).childCount, 2);
});

test("a link definition keeps its place, and other blocks may lean on it", () => {
  const text = "[甲][1]与[乙][1]\n\n尾\n\n[1]: https://example.com";
  const book = new MarkdownText();
  const doc = book.read(text);
  const first = schema.nodes.paragraph.create(null, schema.text("头"));
  const changed = doc.copy(doc.content.addToStart(first));
  assert.equal(book.write(changed), `头\n\n${text}`);
});

/* Any text, however wild, means the same after we have written it: 3,000 seeded mixtures of everything doubtful. */
const PIECES = [
  "**",
  "*",
  "`",
  "~~",
  "[",
  "]",
  "(",
  ")",
  "](",
  "![",
  "<",
  ">",
  "&lt;",
  "\\",
  "|",
  "#",
  "# ",
  "- ",
  "1. ",
  "> ",
  "+ ",
  "\n",
  "\n\n",
  "    ",
  "---\n",
  "```\n",
  "\n| a | b |\n|---|:-:|\n| ",
  "字",
  "“",
  "”",
  "，",
  "：",
  "（注）",
  "word",
  " ",
  "_",
  "!",
  "https://a.cn",
  "=",
  "\n===\n",
  "&",
  ";",
  "  \n",
  "😀",
  "[1]: /x\n",
  "\n```sishu:callout\n{}\n```\n",
  "\t",
];

function random(seed) {
  let state = seed;
  return () => ((state = (state * 1664525 + 1013904223) >>> 0), state / 2 ** 32);
}

/** The document without what Markdown cannot or need not keep: markers, looseness, blanks, empty paragraphs. */
function meaning(node) {
  const { marker, tight, ...attrs } = node.attrs;
  const inside = [];
  node.forEach((child) => {
    const marks = JSON.stringify(child.marks.map((mark) => JSON.stringify([mark.type.name, mark.attrs])).sort());
    const isEmpty = child.type.name === "paragraph" && !child.textContent.trim() && !child.content.size;
    if (child.isText) for (const char of child.text.replace(/\s/g, "")) inside.push(char + marks);
    else if (!child.type.name.endsWith("_break") && !isEmpty) inside.push(meaning(child));
  });
  return [node.type.name, { ...attrs }, inside];
}

test("what we write means what it was", () => {
  const next = random(Number(process.env.SEED ?? 20));
  for (let round = 0; round < Number(process.env.ROUNDS ?? 3000); round++) {
    const text = Array.from({ length: 1 + next() * 12 }, () => PIECES[Math.floor(next() * PIECES.length)]).join("");
    if (/`\s+`/.test(text)) continue; // code that is nothing but blanks is not worth a sign
    const book = new MarkdownText(); // it knows the text's link definitions, but none of the blocks below
    book.read(text);
    const end = schema.nodes.heading.create(null, schema.text("完"));
    const doc = schema.topNodeType.create(null, readDocument(text, {}).content.addToEnd(end));
    const written = book.write(doc);
    assert.deepEqual(meaning(readDocument(written, {})), meaning(doc), JSON.stringify({ text, written }));
  }
});
