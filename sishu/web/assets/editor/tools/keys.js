import { baseKeymap, chainCommands, exitCode, toggleMark } from "prosemirror-commands";
import { redo, undo } from "prosemirror-history";
import { undoInputRule } from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import { liftListItem, sinkListItem, splitListItem } from "prosemirror-schema-list";
import { addRowAfter, goToNextCell, isInTable } from "prosemirror-tables";
import { schema } from "../markdown/schema.js";

const { nodes, marks } = schema;

function lineBreak(state, dispatch) {
  dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView());
  return true;
}

/** In a table Enter goes to the row below, as in a sheet, and makes one at the end: a Markdown cell is one line. */
function nextRow(state, dispatch, view) {
  if (!isInTable(state)) return false;
  if (!dispatch) return true;
  const { $head } = state.selection;
  const depth = Array.from({ length: $head.depth }, (_, i) => i + 1).find((d) => $head.node(d).type === nodes.table);
  const column = $head.index(depth + 1);
  const row = $head.index(depth);
  const start = $head.start(depth);
  if (row === $head.node(depth).childCount - 1) addRowAfter(state, dispatch);
  const table = view.state.doc.resolve(start).parent;
  let pos = start;
  for (let i = 0; i <= row; i++) pos += table.child(i).nodeSize;
  const target = table.child(row + 1);
  pos += 1;
  for (let i = 0; i < Math.min(column, target.childCount - 1); i++) pos += target.child(i).nodeSize;
  const { tr } = view.state;
  dispatch(tr.setSelection(state.selection.constructor.near(tr.doc.resolve(pos + 1))).scrollIntoView());
  return true;
}

/** Keys of the editor; `askLink` opens the address bar. Tab is taken only in lists and tables. */
export const editorKeys = (askLink) => [
  keymap({
    "Mod-b": toggleMark(marks.strong),
    "Mod-i": toggleMark(marks.em),
    "Mod-e": toggleMark(marks.code),
    "Mod-k": () => (askLink(), true),
    "Mod-z": undo,
    "Mod-y": redo,
    "Shift-Mod-z": redo,
    Backspace: undoInputRule,
    Enter: chainCommands(nextRow, splitListItem(nodes.list_item)),
    "Shift-Enter": chainCommands(exitCode, (state, dispatch) => !isInTable(state) && lineBreak(state, dispatch)),
    "Mod-Enter": chainCommands(exitCode, lineBreak),
    Tab: chainCommands(sinkListItem(nodes.list_item), goToNextCell(1)),
    "Shift-Tab": chainCommands(liftListItem(nodes.list_item), goToNextCell(-1)),
  }),
  keymap(baseKeymap),
];
