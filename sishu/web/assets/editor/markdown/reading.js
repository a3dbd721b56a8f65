import MarkdownIt from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";
import { MarkdownParser } from "prosemirror-markdown";
import { schema } from "./schema.js";

/* Markdown → document, by the same family of parser the server renders with, so that what is bold here is bold there. */

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });
markdown.use(cjkFriendly);
markdown.normalizeLink = (url) => url; // an address keeps its 汉字; validateLink still refuses javascript:
markdown.core.ruler.push("cards", nameCards);
markdown.core.ruler.push("cells", wrapCells);

/** Only a fence at the left edge is a block of its own; one inside a list or a quotation stays text. */
function nameCards(state) {
  const lines = state.src.split("\n");
  for (const token of state.tokens) {
    const named = token.type === "fence" && token.level === 0 && /^sishu:(\S+)$/.exec(token.info.trim());
    if (!named || /^\s/.test(lines[token.map[0]])) continue;
    token.type = "card";
    token.meta = { kind: named[1] };
  }
}

/** A cell holds a paragraph, as the table commands expect. */
function wrapCells(state) {
  state.tokens = state.tokens.flatMap((token) => {
    if (token.type === "th_open" || token.type === "td_open") return [token, new state.Token("paragraph_open", "p", 1)];
    if (token.type === "th_close" || token.type === "td_close")
      return [new state.Token("paragraph_close", "p", -1), token];
    return [token];
  });
}

function isTight(tokens, start) {
  let level = 0;
  for (let i = start; i < tokens.length; i++) {
    level += tokens[i].nesting;
    if (level === 0) break;
    if (level === 3 && tokens[i].type === "paragraph_open") return tokens[i].hidden; // list › item › paragraph
  }
  return true;
}

/** The alternative text of a picture: its words, whatever marks they wore. */
const wordsOf = (token) => (token.children?.length ? token.children.map(wordsOf).join("") : token.content);

const align = (token) => ({ align: /text-align:(\w+)/.exec(token.attrGet("style"))?.[1] ?? null });

/** The parser is handed tokens, not text: a document is read block by block to know each block's own source. */
const builder = new MarkdownParser(
  schema,
  { parse: (tokens) => tokens },
  {
    paragraph: { block: "paragraph" },
    heading: { block: "heading", getAttrs: (token) => ({ level: Number(token.tag.slice(1)) }) },
    blockquote: { block: "blockquote" },
    bullet_list: {
      block: "bullet_list",
      getAttrs: (token, tokens, i) => ({ tight: isTight(tokens, i), marker: token.markup }),
    },
    ordered_list: {
      block: "ordered_list",
      getAttrs: (token, tokens, i) => ({
        tight: isTight(tokens, i),
        marker: token.markup,
        order: Number(token.attrGet("start") ?? 1),
      }),
    },
    list_item: { block: "list_item" },
    code_block: { block: "code_block", noCloseToken: true },
    fence: { block: "code_block", getAttrs: (token) => ({ language: token.info.trim() }), noCloseToken: true },
    hr: { node: "horizontal_rule" },
    card: { node: "card", getAttrs: (token) => ({ kind: token.meta.kind, text: token.content.replace(/\n$/, "") }) },
    table: { block: "table" },
    thead: { ignore: true },
    tbody: { ignore: true },
    tr: { block: "table_row" },
    th: { block: "table_header", getAttrs: align },
    td: { block: "table_cell", getAttrs: align },
    image: {
      node: "image",
      getAttrs: (token) => ({
        src: token.attrGet("src"),
        title: token.attrGet("title"),
        alt: wordsOf(token),
      }),
    },
    hardbreak: { node: "hard_break" },
    softbreak: { node: "soft_break" },
    em: { mark: "em" },
    strong: { mark: "strong" },
    s: { mark: "strike" },
    link: {
      mark: "link",
      getAttrs: (token) => ({ href: token.attrGet("href"), title: token.attrGet("title") }),
    },
    code_inline: { mark: "code", noCloseToken: true },
  },
);

function topLevel(tokens) {
  const groups = [];
  let level = 0;
  for (const token of tokens) {
    if (level === 0) groups.push([]);
    groups.at(-1).push(token);
    level += token.nesting;
  }
  return groups;
}

/** Where each line starts, and one place past the end. */
function lineStarts(text) {
  const starts = [0];
  for (const line of text.split("\n")) starts.push(starts.at(-1) + line.length + 1);
  return starts;
}

/** The blocks of a text in order, each with its node and the range [from, to) of its own source.

    `env` carries link definitions from one call to the next, so that a block read alone still finds them. */
export function readBlocks(text, env = {}) {
  const starts = lineStarts(text);
  const blocks = [];
  const add = (node, from, to) => {
    const length = text.slice(from, to).trimEnd().length; // a list claims the blank lines after it; they are not its
    blocks.push({ node, from, to: from + length });
  };
  const addDefinitions = (to) => {
    const from = blocks.at(-1)?.to ?? 0;
    const gap = text.slice(from, to);
    const content = gap.trim();
    if (content) add(schema.nodes.definition.create({ text: content }), from + gap.indexOf(content), to);
  };
  for (const tokens of topLevel(markdown.parse(text, env))) {
    const [first, last] = tokens[0].map;
    addDefinitions(starts[first]);
    const node = builder.parse(tokens).firstChild;
    add(node, starts[first], Math.min(starts[last], text.length));
  }
  addDefinitions(text.length);
  return blocks;
}

export function readDocument(text, env) {
  const blocks = readBlocks(text, env).map(({ node }) => node);
  return schema.topNodeType.createAndFill(null, blocks);
}
