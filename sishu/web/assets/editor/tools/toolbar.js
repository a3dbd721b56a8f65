import { redo, undo } from "prosemirror-history";
import { addColumnAfter, addRowAfter, deleteColumn, deleteRow, deleteTable, isInTable } from "prosemirror-tables";
import { h } from "../dom.js";
import { upload } from "../uploads.js";
import { commands, insertCard } from "./commands.js";
import { completeAddress, currentAddress, isInLink, removeLink, setLink } from "./links.js";

const FORMAT = ["heading", "subheading", "bold", "emphasis", "quote", "list", "numbers", "link"];
const INSERT = ["table", "code", "callout", "image", "file", "embed", "paywall"];
const BLOCKS = new Set(["code", "callout", "image", "file", "embed", "paywall"]); // not for a lone prose block

const TABLE = {
  rowBelow: addRowAfter,
  columnRight: addColumnAfter,
  deleteRow: (state, dispatch) => !isHeaderRow(state) && deleteRow(state, dispatch),
  deleteColumn,
  deleteTable,
};

function isHeaderRow({ selection: { $from } }) {
  return Array.from({ length: $from.depth }, (_, i) => $from.node(i + 1)).some(
    (node) => node.type.name === "table_header",
  );
}

/** The bar above the text: formats, inserts, a line for addresses, a line for tables, and a quiet line of news. */
export class Toolbar {
  #tools = []; // {button, isActive, run}

  constructor(editor) {
    this.editor = editor;
    this.t = editor.t;
    const shown = (names) => names.filter((name) => this.#isOffered(name)).map((name) => this.#tool(name));
    const format = h("div", { className: "editor-group" }, ...shown(FORMAT));
    const insert = h("div", { className: "editor-group" }, ...shown(INSERT));
    const history = h(
      "div",
      { className: "editor-group editor-history" },
      this.#button("undo", "↶", { run: undo }),
      this.#button("redo", "↷", { run: redo }),
    );
    this.source = h("button", {
      type: "button",
      className: "editor-tool editor-source",
      title: this.t("sourceHelp"),
      "aria-pressed": "false",
      textContent: this.t("source"),
      onclick: () => editor.toggleSource(),
    });
    this.bar = h(
      "div",
      { className: "editor-tools", role: "toolbar", "aria-label": this.t("toolbar") },
      format,
      insert,
      history,
      this.source,
    );
    this.bar.addEventListener("keydown", (event) => this.#rove(event));
    this.address = this.#addressLine();
    this.table = this.#tableLine();
    this.dom = h("div", { className: "editor-bar" }, this.bar, this.address, this.table);
    for (const button of this.#buttons.slice(1)) button.tabIndex = -1;
  }

  get #buttons() {
    return [...this.bar.querySelectorAll("button")];
  }

  #isOffered(name) {
    if (this.editor.dataset.blocks === "prose" && BLOCKS.has(name)) return false;
    return name === "image" || name === "file" ? this.editor.can(name) : true;
  }

  #tool(name) {
    if (name === "link") return this.#button(name, null, { run: () => this.askLink(), isActive: isInLink });
    if (name === "embed") return this.#button(name, null, { run: () => this.#askEmbed() });
    if (name === "image" || name === "file") return this.#button(name, null, { run: () => this.#pick(name) });
    return this.#button(name, null, commands[name]);
  }

  #button(name, sign, { run, isActive }) {
    const label = this.t(name);
    const button = h("button", {
      type: "button",
      className: `editor-tool editor-${name}`,
      "aria-label": label,
      title: sign ? label : null,
      textContent: sign ?? label,
      onmousedown: (event) => event.preventDefault(), // the text keeps its selection
      onclick: () => this.#run(run),
    });
    if (isActive) button.setAttribute("aria-pressed", "false");
    this.#tools.push({ button, run, isActive });
    return button;
  }

  #run(run) {
    const { view } = this.editor;
    const result = run(view.state, view.dispatch, view);
    if (result !== "asks") view.focus();
  }

  /** Arrow keys walk the bar; Tab leaves it. */
  #rove(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = this.#buttons.filter((button) => !button.disabled);
    const index = buttons.indexOf(document.activeElement);
    const next =
      { Home: 0, End: buttons.length - 1 }[event.key] ?? (step && (index + step + buttons.length) % buttons.length);
    if (next === undefined || index < 0) return;
    event.preventDefault();
    for (const button of this.#buttons) button.tabIndex = -1;
    buttons[next].tabIndex = 0;
    buttons[next].focus();
  }

  /** Show what the cursor stands in, and which tools would do nothing. */
  refresh(state) {
    const isSource = this.editor.isSource;
    for (const { button, run, isActive } of this.#tools) {
      const pressed = !isSource && Boolean(isActive?.(state));
      if (isActive) button.setAttribute("aria-pressed", String(pressed));
      button.disabled = isSource || (run.length > 0 && !pressed && !run(state));
    }
    this.source.setAttribute("aria-pressed", String(isSource));
    this.table.hidden = isSource || !isInTable(state);
    if (!this.#buttons.some((button) => button.tabIndex === 0 && !button.disabled)) this.source.tabIndex = 0;
  }

  #tableLine() {
    const buttons = Object.entries(TABLE).map(([name, run]) => this.#button(name, null, { run }));
    return h(
      "div",
      { className: "editor-line", hidden: true, role: "group", "aria-label": this.t("tableTools") },
      ...buttons,
    );
  }

  #addressLine() {
    this.field = h("input", {
      type: "text",
      inputMode: "url",
      className: "editor-field",
      placeholder: "https://",
      autocomplete: "off",
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault(); // the form around must not be sent
        this.#answer(event.key === "Enter" ? this.field.value : null);
      }
    });
    const button = (name, onclick) =>
      h("button", { type: "button", className: "editor-tool", textContent: this.t(name), onclick });
    this.unlink = button("unlink", () => (this.close(), this.#run(removeLink)));
    const apply = button("apply", () => this.#answer(this.field.value));
    const cancel = button("cancel", () => this.#answer(null));
    return h("div", { className: "editor-line", hidden: true }, this.field, apply, this.unlink, cancel);
  }

  #ask(label, value, onanswer) {
    this.onanswer = onanswer;
    this.field.setAttribute("aria-label", label);
    this.field.value = value;
    this.address.hidden = false;
    this.field.focus();
    this.field.select();
    return "asks";
  }

  #answer(value) {
    this.close();
    if (value?.trim()) this.#run(this.onanswer(value));
    else this.editor.view.focus();
  }

  /** Put the line for addresses away. */
  close() {
    this.address.hidden = true;
  }

  askLink() {
    const address = currentAddress(this.editor.view.state);
    this.unlink.hidden = !address;
    return this.#ask(this.t("address"), address, setLink);
  }

  #askEmbed() {
    this.unlink.hidden = true;
    return this.#ask(this.t("embedAddress"), "", (url) =>
      insertCard("embed", { url: completeAddress(url), caption: "" }),
    );
  }

  #pick(kind) {
    const accept = kind === "image" ? "image/png,image/jpeg,image/webp,image/gif,image/avif" : null;
    const input = h("input", { type: "file", accept, multiple: kind === "image" });
    input.addEventListener("change", () => {
      for (const file of input.files) upload(this.editor.view, this.editor, kind, file);
    });
    input.click();
    return "asks";
  }
}
