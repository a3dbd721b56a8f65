import { TextSelection } from "prosemirror-state";
import { schema } from "../markdown/schema.js";
import { hasMark } from "./commands.js";

const link = schema.marks.link;

export const isInLink = hasMark(link);

/** The whole link under the cursor, or the selection. */
function linkRange(state) {
  const { $from, from, to, empty } = state.selection;
  const mark = link.isInSet($from.marks()) ?? link.isInSet($from.nodeAfter?.marks ?? []);
  if (!empty || !mark) return { from, to, mark };
  let start = $from.start();
  let range = { from, to };
  $from.parent.forEach((node, offset) => {
    const pos = start + offset;
    if (mark.isInSet(node.marks) && pos <= from && from <= pos + node.nodeSize)
      range = { from: pos, to: pos + node.nodeSize };
  });
  return { ...range, mark };
}

export const currentAddress = (state) => linkRange(state).mark?.attrs.href ?? "";

/** A bare host is meant as https; a path or an anchor of this site stays as it is. */
export function completeAddress(text) {
  const url = text.trim();
  if (!url || /^(?:[a-z][a-z0-9+.-]*:|[/#?.])/i.test(url)) return url;
  return url.includes("@") && !url.includes("/") ? `mailto:${url}` : `https://${url}`;
}

export const setLink = (address) => (state, dispatch) => {
  const href = completeAddress(address);
  const { from, to } = linkRange(state);
  const tr = state.tr;
  if (!href || /^(?:javascript|vbscript|data|file):/i.test(href)) return false;
  if (from === to) tr.insert(from, schema.text(address.trim(), [link.create({ href })]));
  else tr.removeMark(from, to, link).addMark(from, to, link.create({ href }));
  const end = from === to ? from + address.trim().length : to;
  dispatch?.(
    tr
      .setSelection(TextSelection.near(tr.doc.resolve(end), -1))
      .removeStoredMark(link)
      .scrollIntoView(),
  );
  return true;
};

export const removeLink = (state, dispatch) => {
  const { from, to } = linkRange(state);
  dispatch?.(state.tr.removeMark(from, to, link));
  return true;
};
