import { Schema } from "prosemirror-model";
import { tableNodes } from "prosemirror-tables";

/* What a work can hold while it is edited. Everything Markdown can say has a node; what only the site can say
   (a fence named sishu:…) is a card that keeps the fence's text as it stands. */

const alignOf = (cell) => ["left", "center", "right"].find((side) => cell.classList.contains(`is-${side}`)) ?? null;

const tables = tableNodes({
  tableGroup: "block",
  cellContent: "paragraph",
  cellAttributes: {
    align: {
      default: null,
      getFromDOM: alignOf,
      setDOMAttr: (value, attrs) => value && (attrs.class = `is-${value}`),
    },
  },
});

const listAttrs = (more) => ({ tight: { default: true }, marker: { default: more } });

const nodes = {
  doc: { content: "(block | card | definition)+" },
  paragraph: { content: "inline*", group: "block", parseDOM: [{ tag: "p" }], toDOM: () => ["p", 0] },
  heading: {
    attrs: { level: { default: 2 } },
    content: "inline*",
    group: "block",
    defining: true,
    parseDOM: [1, 2, 3, 4, 5, 6].map((level) => ({ tag: `h${level}`, attrs: { level } })),
    toDOM: (node) => [`h${node.attrs.level}`, 0],
  },
  blockquote: {
    content: "block+",
    group: "block",
    defining: true,
    parseDOM: [{ tag: "blockquote" }],
    toDOM: () => ["blockquote", 0],
  },
  bullet_list: {
    attrs: listAttrs("-"),
    content: "list_item+",
    group: "block",
    parseDOM: [{ tag: "ul" }],
    toDOM: (node) => ["ul", node.attrs.tight ? {} : { class: "is-loose" }, 0],
  },
  ordered_list: {
    attrs: { ...listAttrs("."), order: { default: 1 } },
    content: "list_item+",
    group: "block",
    parseDOM: [{ tag: "ol", getAttrs: (list) => ({ order: list.start }) }],
    toDOM: (node) => ["ol", { start: node.attrs.order, class: node.attrs.tight ? null : "is-loose" }, 0],
  },
  list_item: { content: "paragraph block*", defining: true, parseDOM: [{ tag: "li" }], toDOM: () => ["li", 0] },
  code_block: {
    attrs: { language: { default: "" } },
    content: "text*",
    group: "block",
    marks: "",
    code: true,
    defining: true,
    parseDOM: [{ tag: "pre", preserveWhitespace: "full" }],
    toDOM: () => ["pre", ["code", 0]],
  },
  horizontal_rule: { group: "block", parseDOM: [{ tag: "hr" }], toDOM: () => ["hr"] },
  ...tables,
  card: {
    attrs: { kind: {}, text: {} },
    atom: true,
    isolating: true,
    parseDOM: [
      {
        tag: "div[data-card]",
        getAttrs: (dom) => ({ kind: dom.dataset.card, text: dom.dataset.text }),
      },
    ],
    toDOM: ({ attrs }) => ["div", { "data-card": attrs.kind, "data-text": attrs.text }],
  },
  /* A link definition ("[1]: https://…"): other blocks may lean on it, so it stays where it is. */
  definition: {
    attrs: { text: {} },
    atom: true,
    parseDOM: [{ tag: "div[data-definition]", getAttrs: (dom) => ({ text: dom.dataset.definition }) }],
    toDOM: ({ attrs }) => ["div", { class: "editor-definition", "data-definition": attrs.text }, attrs.text],
  },
  text: { group: "inline" },
  /* A picture by address. The page's policy shows only the site's own pictures, so any other is named. */
  image: {
    attrs: { src: {}, alt: { default: "" }, title: { default: null } },
    inline: true,
    group: "inline",
    parseDOM: [
      {
        tag: "img[src]",
        getAttrs: (dom) => ({ src: dom.getAttribute("src"), alt: dom.alt, title: dom.getAttribute("title") }),
      },
      {
        tag: "span[data-src]",
        getAttrs: (dom) => ({ src: dom.dataset.src, alt: dom.dataset.alt, title: dom.dataset.title ?? null }),
      },
    ],
    toDOM: ({ attrs: { src, alt, title } }) => [
      "span",
      { class: "editor-image", "data-src": src, "data-alt": alt, "data-title": title, title: src },
      alt || src,
    ],
  },
  hard_break: {
    inline: true,
    group: "inline",
    selectable: false,
    parseDOM: [{ tag: "br" }],
    toDOM: () => ["br"],
    leafText: () => "\n",
  },
  /* The end of a source line inside a paragraph: a space between Latin words, nothing between 汉字. */
  soft_break: {
    inline: true,
    group: "inline",
    selectable: false,
    parseDOM: [{ tag: "span.soft-break" }],
    toDOM: () => ["span", { class: "soft-break" }, " "],
    leafText: () => "\n",
  },
};

const marks = {
  em: { parseDOM: [{ tag: "em" }, { tag: "i" }], toDOM: () => ["em", 0] },
  strong: { parseDOM: [{ tag: "strong" }, { tag: "b" }], toDOM: () => ["strong", 0] },
  strike: { parseDOM: [{ tag: "s" }, { tag: "del" }, { tag: "strike" }], toDOM: () => ["s", 0] },
  link: {
    attrs: { href: {}, title: { default: null } },
    inclusive: false,
    parseDOM: [
      {
        tag: "a[href]",
        getAttrs: (dom) => ({ href: dom.getAttribute("href"), title: dom.getAttribute("title") }),
      },
    ],
    toDOM: ({ attrs }) => ["a", attrs, 0],
  },
  code: { code: true, inclusive: false, parseDOM: [{ tag: "code" }], toDOM: () => ["code", 0] },
};

export const schema = new Schema({ nodes, marks });
