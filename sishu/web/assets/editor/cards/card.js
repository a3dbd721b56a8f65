import { Selection } from "prosemirror-state";
import { h } from "../dom.js";

/** What the fence holds: an object, or null when it is not one we can edit. */
export function valueOf(node) {
  try {
    const value = JSON.parse(node.attrs.text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** The same text that Python's json.dumps(value, ensure_ascii=False, indent=2) gives. */
export const textOf = (value) => JSON.stringify(value, null, 2);

/** A block that is not prose, drawn by a `face`: {name, draw(card), refresh?(card)}. The node stays the only truth. */
export class Card {
  constructor(face, node, view, getPos, editor) {
    Object.assign(this, { face, node, view, getPos, editor, t: editor.t });
    this.body = h("div", { className: "editor-card-body" });
    this.dom = h(
      "div",
      {
        className: "editor-card",
        contentEditable: "false",
        role: "group",
        "aria-label": face.name(this),
        "data-card": node.attrs.kind,
      },
      this.body,
      this.#tools(),
    );
    face.draw(this);
    face.refresh?.(this);
  }

  get value() {
    return valueOf(this.node) ?? {};
  }

  /** Change one field; everything else in the block keeps its place and order. */
  patch(name, value) {
    const text = textOf({ ...this.value, [name]: value });
    const pos = this.getPos();
    if (pos === undefined || text === this.node.attrs.text) return;
    this.view.dispatch(this.view.state.tr.setNodeAttribute(pos, "text", text));
  }

  #tools() {
    const tool = (label, sign, run) =>
      h("button", { type: "button", className: "editor-tool", title: label, "aria-label": label, onclick: run }, sign);
    return h(
      "span",
      { className: "editor-card-tools" },
      tool(this.t("up"), "↑", () => this.#move(-1)),
      tool(this.t("down"), "↓", () => this.#move(1)),
      tool(this.t("remove"), "×", () => this.#remove()),
    );
  }

  #move(step) {
    const { state } = this.view;
    const $pos = state.doc.resolve(this.getPos());
    const index = $pos.index();
    const other = index + step;
    if (other < 0 || other >= state.doc.childCount) return;
    const size = state.doc.child(other).nodeSize;
    const from = $pos.pos;
    const tr = state.tr.delete(from, from + this.node.nodeSize);
    this.view.dispatch(tr.insert(step < 0 ? from - size : from + size, this.node).scrollIntoView());
  }

  #remove() {
    const pos = this.getPos();
    const tr = this.view.state.tr.delete(pos, pos + this.node.nodeSize);
    const at = Math.min(pos, tr.doc.content.size);
    this.view.dispatch(tr.setSelection(Selection.near(tr.doc.resolve(at), -1)));
    this.view.focus();
  }

  update(node) {
    if (node.type !== this.node.type || node.attrs.kind !== this.node.attrs.kind) return false;
    this.node = node;
    this.face.refresh?.(this);
    return true;
  }

  selectNode() {
    this.dom.classList.add("is-selected");
  }

  deselectNode() {
    this.dom.classList.remove("is-selected");
  }

  stopEvent(event) {
    return Boolean(event.target.closest?.("input, textarea, select, button, summary"));
  }

  ignoreMutation() {
    return true;
  }
}
