import { MarkdownSerializerState } from "prosemirror-markdown";
import { inlineMarkdown } from "./inline.js";
import { readBlocks } from "./reading.js";
import { schema } from "./schema.js";

const isList = (node) => node.type.name === "bullet_list" || node.type.name === "ordered_list";
const OTHER_MARKER = { "-": "*", "*": "-", "+": "-", ".": ")", ")": "." };

/** Longer than any run of its sign inside, so that the fence ends where we say. */
function fenced(info, content) {
  const sign = info.includes("`") ? "~" : "`";
  const runs = content.match(new RegExp(`${sign}+`, "g")) ?? [];
  const fence = sign.repeat(Math.max(2, ...runs.map((run) => run.length)) + 1);
  return content ? `${fence}${info}\n${content}\n${fence}` : `${fence}${info}\n${fence}`;
}

function writeTable(state, table) {
  const rows = [];
  table.forEach((row) => {
    const cells = [];
    row.forEach((cell) => {
      cells.push(inlineMarkdown(cell.firstChild, "cell", state.options.env));
      for (let i = 1; i < cell.attrs.colspan; i++) cells.push(""); // a pasted table may span; Markdown cannot
    });
    rows.push(cells);
  });
  const width = Math.max(...rows.map((row) => row.length));
  const aligns = [];
  table.firstChild.forEach((cell) => aligns.push(cell.attrs.align));
  const dashes = { left: ":---", center: ":---:", right: "---:" };
  const rule = Array.from({ length: width }, (_, i) => dashes[aligns[i]] ?? "---");
  const line = (cells) => `| ${Array.from({ length: width }, (_, i) => cells[i] ?? "").join(" | ")} |`;
  state.text([line(rows[0]), line(rule), ...rows.slice(1).map(line)].join("\n"), false);
  state.closeBlock(table);
}

function writeInline(kind, prefix = () => "") {
  return (state, node) => {
    state.write(prefix(node));
    state.text(inlineMarkdown(node, kind, state.options.env), false);
    state.closeBlock(node);
  };
}

/** Two lists in a row would melt into one: the second takes the other marker. */
function markerOf(list, previous, written) {
  const own = list.attrs.marker;
  return previous && previous.type === list.type && written === own ? OTHER_MARKER[own] : own;
}

function writeList(state, list, parent, index) {
  const previous = index > 0 ? parent.child(index - 1) : null;
  const marker = state.options.marker ?? markerOf(list, previous, previous?.attrs.marker);
  state.options.marker = null; // only the outermost list is told its marker
  // The serializer parts two lists by an extra blank line, which Markdown ignores; the markers part ours.
  state.closed = state.closed?.type === list.type ? schema.nodes.paragraph.create() : state.closed;
  if (list.type.name === "bullet_list") return state.renderList(list, "  ", () => `${marker} `);
  const width = String(list.attrs.order + list.childCount - 1).length;
  state.renderList(list, " ".repeat(width + 2), (i) => `${list.attrs.order + i}${marker}`.padEnd(width + 2));
}

const blocks = {
  paragraph: writeInline("paragraph"),
  heading: writeInline("heading", (node) => `${"#".repeat(node.attrs.level)} `),
  blockquote: (state, node) => state.wrapBlock("> ", null, node, () => state.renderContent(node)),
  bullet_list: writeList,
  ordered_list: writeList,
  list_item(state, item) {
    const startsEmpty = item.firstChild.content.size === 0 && item.childCount > 1;
    item.forEach((child, _, i) => (i === 0 && startsEmpty ? null : state.render(child, item, i)));
  },
  code_block(state, node) {
    state.text(fenced(node.attrs.language, node.textContent), false);
    state.closeBlock(node);
  },
  horizontal_rule(state, node, parent) {
    state.write(parent.type.name === "list_item" ? "___" : "---"); // "- ---" would be one long rule
    state.closeBlock(node);
  },
  table: writeTable,
  card(state, { attrs }) {
    state.text(fenced(`sishu:${attrs.kind}`, attrs.text), false);
  },
  definition(state, { attrs }) {
    state.text(attrs.text, false);
  },
};

/** One text and the document made of it. What was not touched is written back as it was, to the byte. */
export class MarkdownText {
  #original = { text: "", doc: null };
  #sources = new WeakMap(); // node → where it stood; nodes never change, so an untouched block is the same object
  #env = {};
  #tail = "";

  read(text) {
    this.#sources = new WeakMap();
    this.#env = {};
    const found = readBlocks(text, this.#env);
    found.forEach(({ node, from, to }, index) => {
      const before = text.slice(found[index - 1]?.to ?? 0, from);
      this.#sources.set(node, { index, before, text: text.slice(from, to) });
    });
    this.#tail = found.length ? text.slice(found.at(-1).to) : "";
    const doc = schema.topNodeType.createAndFill(
      null,
      found.map(({ node }) => node),
    );
    this.#original = { text, doc };
    return doc;
  }

  write(doc) {
    if (this.#original.doc?.eq(doc)) return this.#original.text;
    let out = "";
    let previous = null;
    let marker = null; // of the list just written
    doc.forEach((node) => {
      const source = this.#sources.get(node);
      const isInPlace = source && this.#follows(source, previous);
      const wantedMarker = isList(node) ? markerOf(node, previous, marker) : null;
      const isReusable =
        isInPlace || (source && !/^\s/.test(source.text) && wantedMarker === (node.attrs.marker ?? null));
      const text = isReusable ? source.text : this.#block(node, wantedMarker);
      if (!text) return; // an empty paragraph: Markdown has no word for it
      out += (isInPlace ? source.before : previous ? "\n\n" : "") + text;
      previous = node;
      marker = isInPlace && isList(node) ? node.attrs.marker : wantedMarker;
    });
    return out + this.#tail;
  }

  #follows(source, previous) {
    return previous ? this.#sources.get(previous)?.index === source.index - 1 : source.index === 0;
  }

  #block(node, marker) {
    const cached = this.#written.get(node);
    if (cached?.marker === marker) return cached.text;
    const state = new MarkdownSerializerState(blocks, {}, { env: this.#env, marker });
    state.render(node, schema.topNodeType.create(null, node), 0);
    const text = state.out.replace(/\s+$/, "");
    this.#written.set(node, { marker, text });
    return text;
  }

  #written = new WeakMap(); // one keystroke changes one block; the others are not written again
}
