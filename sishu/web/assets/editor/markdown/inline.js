import { MarkdownSerializerState } from "prosemirror-markdown";
import { readBlocks } from "./reading.js";

/* One line of text → Markdown with as few marks of our own as possible.

   Escaping every character that could ever mean something makes Chinese prose unreadable. So the text is written plain,
   read back, and guarded only where the plain form would mean something else. */

const PUNCTUATION = /[\\`*_~[\]()<>&|!#+\-=.:]/;
const MOST_GUARDS = 400; // beyond this a search would be felt while typing; then every guard stays

const WRAP = {
  paragraph: (text) => text,
  heading: (text) => `## ${text}`,
  cell: (text) => `| ${text} |\n| --- |`,
};

class InlineState extends MarkdownSerializerState {
  /** `guards[i]` says whether the i-th doubtful character is guarded; `kinds` learns what a guard would be. */
  constructor(guards, single) {
    super(inlineNodes, inlineMarks, {});
    this.guards = guards;
    this.single = single;
    this.kinds = [];
  }

  guarded(char, isEdge) {
    const isPunctuation = PUNCTUATION.test(char);
    if (!isPunctuation && !isEdge) return char;
    const index = this.kinds.push(isPunctuation ? "backslash" : "entity") - 1;
    if (!this.guards(index, this.kinds[index])) return char;
    return isPunctuation ? `\\${char}` : `&#x${char.codePointAt(0).toString(16)};`;
  }

  /** Text next to a mark may have to hide a letter: in a**(b)**c the marks open nothing until one is an entity. */
  prose(text, edges) {
    const chars = [...text];
    return chars
      .map((char, i) => {
        const isEdge = (i === 0 && edges.left) || (i === chars.length - 1 && edges.right);
        return this.guarded(char, isEdge && /\S/.test(char));
      })
      .join("");
  }
}

const differ = (a, b) =>
  Boolean(b) && (!b.isText || !a.marks.every((mark) => mark.isInSet(b.marks)) || a.marks.length !== b.marks.length);

function address(url) {
  return /[\s()<>]/.test(url) ? `<${url.replace(/[<>]/g, "\\$&")}>` : url;
}

function titled(title) {
  return title ? ` "${title.replace(/["\\]/g, "\\$&")}"` : "";
}

const inlineNodes = {
  text(state, node, parent, index) {
    const left = index > 0 && differ(node, parent.child(index - 1));
    const right = index + 1 < parent.childCount && differ(node, parent.child(index + 1));
    state.text(state.inAutolink ? node.text : state.prose(node.text, { left, right }), false);
  },
  image(state, { attrs }) {
    state.write(`![${state.prose(attrs.alt ?? "", {})}](${address(attrs.src)}${titled(attrs.title)})`);
  },
  hard_break(state, node, parent, index) {
    if (isTail(parent, index)) return;
    if (state.single) state.text(" ", false);
    else state.write("\\\n");
  },
  soft_break(state, node, parent, index) {
    if (!isTail(parent, index)) state.text(state.single ? " " : "\n", false);
  },
};

/** Nothing but breaks and blanks follows: Markdown drops them, so do we. */
function isTail(parent, index) {
  for (let i = index; i < parent.childCount; i++) {
    const child = parent.child(i);
    if (child.isText ? /\S/.test(child.text) : !child.type.name.endsWith("_break")) return false;
  }
  return true;
}

function ticks(node, side) {
  const runs = node.text.match(/`+/g) ?? [];
  let length = 1;
  while (runs.some((run) => run.length === length)) length++;
  const needsRoom = /^`|`$|^ .* $/.test(node.text);
  const fence = "`".repeat(length);
  return needsRoom ? (side < 0 ? `${fence} ` : ` ${fence}`) : fence;
}

const isAutolink = (mark, parent, index) => {
  const node = parent.child(index);
  const isWhole = node.isText && node.text === mark.attrs.href && node.marks.length === 1;
  return isWhole && !mark.attrs.title && /^https?:\/\/[^\s<>]+$/.test(mark.attrs.href);
};

const symmetric = (sign) => ({ open: sign, close: sign, mixable: true, expelEnclosingWhitespace: true });

const inlineMarks = {
  em: symmetric("*"),
  strong: symmetric("**"),
  strike: symmetric("~~"),
  link: {
    open(state, mark, parent, index) {
      state.inAutolink = isAutolink(mark, parent, index);
      return state.inAutolink ? "<" : "[";
    },
    close(state, mark) {
      const { inAutolink } = state;
      state.inAutolink = undefined;
      return inAutolink ? ">" : `](${address(mark.attrs.href)}${titled(mark.attrs.title)})`;
    },
    mixable: true,
  },
  code: {
    open: (state, mark, parent, index) => ticks(parent.child(index), -1),
    close: (state, mark, parent, index) => ticks(parent.child(index - 1), 1),
    escape: false,
  },
};

/** What a reader sees, blanks aside: two texts with the same meaning mean the same. */
function meaning(block, single) {
  const parts = [];
  block.forEach((node, _, index) => {
    const marks = node.marks
      .map((mark) => `${mark.type.name} ${mark.attrs.href ?? ""} ${mark.attrs.title ?? ""}`)
      .sort();
    if (node.isText) for (const char of node.text.replace(/\s/g, "")) parts.push([char, marks]);
    else if (node.type.name === "image") parts.push([node.attrs, marks]);
    else if (node.type.name === "hard_break" && !single && !isTail(block, index)) parts.push("break");
  });
  return JSON.stringify(parts);
}

function render(block, kind, guards) {
  const single = kind !== "paragraph";
  const state = new InlineState(guards, single);
  state.renderInline(block);
  const text = state.out.trim();
  return { text: kind === "cell" ? text.replaceAll("|", "\\|") : text, kinds: state.kinds };
}

function textblockIn(node) {
  let found = null;
  node.descendants((child) => {
    if (!found && child.isTextblock) found = child;
    return !found;
  });
  return node.isTextblock ? node : found;
}

/** Drop every guard the text can do without: first all in a range, then halves of it. */
function relax(kept, from, to, holds) {
  if (from >= to) return;
  const before = kept.slice(from, to);
  if (!before.includes(true)) return;
  kept.fill(false, from, to);
  if (holds()) return;
  kept.splice(from, to - from, ...before);
  if (to - from === 1) return;
  const middle = (from + to) >> 1;
  relax(kept, from, middle, holds);
  relax(kept, middle, to, holds);
}

/** The inline content of a block as Markdown; `kind` is paragraph, heading or cell. */
export function inlineMarkdown(block, kind, env) {
  const single = kind !== "paragraph";
  const wanted = meaning(block, single);
  const readsBack = ({ text }) => {
    if (!text) return true;
    const blocks = readBlocks(WRAP[kind](text), { ...env });
    const type = kind === "cell" ? "table" : kind;
    if (blocks.length !== 1 || blocks[0].node.type.name !== type) return false;
    return meaning(textblockIn(blocks[0].node), single) === wanted;
  };

  const plain = render(block, kind, () => false);
  if (readsBack(plain)) return plain.text;
  const escaped = render(block, kind, (_, guard) => guard === "backslash");
  const isEnough = readsBack(escaped);
  const strict = isEnough ? escaped : render(block, kind, () => true);
  if (plain.kinds.length > MOST_GUARDS || !(isEnough || readsBack(strict))) return escaped.text;

  const kept = plain.kinds.map((guard) => !isEnough || guard === "backslash");
  const current = () => render(block, kind, (index) => kept[index]);
  relax(kept, 0, kept.length, () => readsBack(current()));
  return current().text;
}
