import { lift, setBlockType, toggleMark, wrapIn } from "prosemirror-commands";
import { liftListItem, wrapInList } from "prosemirror-schema-list";
import { isInTable } from "prosemirror-tables";
import { TextSelection } from "prosemirror-state";
import { textOf } from "../cards/card.js";
import { cutlines } from "../cards/cutlines.js";
import { TIERS } from "../cards/faces.js";
import { schema } from "../markdown/schema.js";
import { placeCard } from "../uploads.js";

const { nodes, marks } = schema;

/** The nearest block around the cursor that a test accepts: {node, depth}, or null. */
export function around({ $from }, test) {
  for (let depth = $from.depth; depth > 0; depth--)
    if (test($from.node(depth))) return { node: $from.node(depth), depth };
  return null;
}

const isIn =
  (type, attrs = {}) =>
  (state) =>
    Boolean(around(state.selection, (node) => node.hasMarkup(type, { ...node.attrs, ...attrs })));

export const hasMark = (type) => (state) => {
  const { from, to, empty, $from } = state.selection;
  return empty ? Boolean(type.isInSet(state.storedMarks ?? $from.marks())) : state.doc.rangeHasMark(from, to, type);
};

function toggleBlock(type, attrs) {
  const isActive = isIn(type, attrs);
  return {
    isActive,
    run: (state, dispatch) =>
      (isActive(state) ? setBlockType(nodes.paragraph) : setBlockType(type, attrs))(state, dispatch),
  };
}

function toggleQuote() {
  const isActive = isIn(nodes.blockquote);
  return { isActive, run: (state, dispatch) => (isActive(state) ? lift : wrapIn(nodes.blockquote))(state, dispatch) };
}

function toggleList(type) {
  const isActive = (state) =>
    around(state.selection, (node) => node.type === nodes.bullet_list || node.type === nodes.ordered_list)?.node
      .type === type;
  return {
    isActive,
    run: (state, dispatch) => (isActive(state) ? liftListItem(nodes.list_item) : wrapInList(type))(state, dispatch),
  };
}

const mark = (type) => ({ run: toggleMark(type), isActive: hasMark(type) });

function insertTable(state, dispatch) {
  if (isInTable(state)) return false;
  const cells = (type) => Array.from({ length: 3 }, () => type.createAndFill());
  const table = nodes.table.create(null, [
    nodes.table_row.create(null, cells(nodes.table_header)),
    nodes.table_row.create(null, cells(nodes.table_cell)),
    nodes.table_row.create(null, cells(nodes.table_cell)),
  ]);
  if (!dispatch) return true;
  const tr = state.tr.replaceSelectionWith(table, false);
  let start = null;
  tr.doc.nodesBetween(tr.mapping.map(state.selection.from, -1), tr.doc.content.size, (node, pos) => {
    if (start === null && node.type === nodes.table) start = pos;
    return start === null;
  });
  if (start !== null) tr.setSelection(TextSelection.near(tr.doc.resolve(start + 1)));
  dispatch(tr.scrollIntoView());
  return true;
}

/** Put a card of a kind between the blocks, with the cursor's block above it. */
export const insertCard = (kind, value) => (state, dispatch) => {
  const card = nodes.card.create({ kind, text: textOf(value) });
  dispatch?.(placeCard(state.tr, state.selection.to, card).scrollIntoView());
  return true;
};

/** One line for each tier: the second press gives the other one, then there is nothing to add. */
function insertPaywall(state, dispatch) {
  const taken = cutlines(state.doc).map((line) => line.tier);
  const tier = [...TIERS].reverse().find((one) => !taken.includes(one));
  if (!tier) return false;
  const tr = placeCard(state.tr, state.selection.to, nodes.card.create({ kind: "paywall", text: textOf({ tier }) }));
  dispatch?.(writeOnBelow(tr, tier).scrollIntoView());
  return true;
}

/** The cursor goes below the line, where the paid part is written; at the end of the text a paragraph is made for it. */
function writeOnBelow(tr, tier) {
  const { pos } = cutlines(tr.doc).find((line) => line.tier === tier);
  const below = pos + tr.doc.nodeAt(pos).nodeSize;
  if (below === tr.doc.content.size) tr.insert(below, nodes.paragraph.create());
  return tr.setSelection(TextSelection.near(tr.doc.resolve(below), 1));
}

export const commands = {
  heading: toggleBlock(nodes.heading, { level: 2 }),
  subheading: toggleBlock(nodes.heading, { level: 3 }),
  bold: mark(marks.strong),
  emphasis: mark(marks.em),
  quote: toggleQuote(),
  list: toggleList(nodes.bullet_list),
  numbers: toggleList(nodes.ordered_list),
  table: { run: insertTable },
  code: toggleBlock(nodes.code_block),
  callout: { run: insertCard("callout", { kind: "note", title: "", text: "" }) },
  paywall: { run: insertPaywall },
};
