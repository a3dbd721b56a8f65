import { h } from "../dom.js";
import { Card, valueOf } from "./card.js";
import { faces, locked } from "./faces.js";

const faceOf = (node) => (valueOf(node) && Object.hasOwn(faces, node.attrs.kind) ? faces[node.attrs.kind] : locked);

/** A fenced block of code, with its language above. */
class CodeBlock {
  constructor(node, view, getPos, editor) {
    this.node = node;
    this.language = h("input", {
      type: "text",
      className: "editor-language",
      "aria-label": editor.t("language"),
      placeholder: editor.t("language"),
      spellcheck: false,
      autocomplete: "off",
      oninput: () => view.dispatch(view.state.tr.setNodeAttribute(getPos(), "language", this.language.value.trim())),
      onkeydown: (event) => event.key === "Enter" && event.preventDefault(),
    });
    this.contentDOM = h("code", { spellcheck: false });
    this.dom = h(
      "pre",
      {},
      h("div", { contentEditable: "false", className: "editor-code-bar" }, this.language),
      this.contentDOM,
    );
    this.update(node);
  }

  update(node) {
    if (node.type !== this.node.type) return false;
    this.node = node;
    if (this.language.value !== node.attrs.language) this.language.value = node.attrs.language;
    return true;
  }

  stopEvent(event) {
    return event.target === this.language;
  }

  ignoreMutation(mutation) {
    return !this.contentDOM.contains(mutation.target);
  }
}

/** Node views for one editor. */
export const viewsFor = (editor) => ({
  card: (node, view, getPos) => new Card(faceOf(node), node, view, getPos, editor),
  code_block: (node, view, getPos) => new CodeBlock(node, view, getPos, editor),
});
