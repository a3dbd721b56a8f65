import { dropCursor } from "prosemirror-dropcursor";
import { gapCursor } from "prosemirror-gapcursor";
import { history } from "prosemirror-history";
import { EditorState, Plugin, TextSelection } from "prosemirror-state";
import { tableEditing } from "prosemirror-tables";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";
import { cutlineWords } from "./cards/cutlines.js";
import { viewsFor } from "./cards/views.js";
import { countWords } from "./count.js";
import { h } from "./dom.js";
import { labelsFor } from "./labels.js";
import { schema } from "./markdown/schema.js";
import { MarkdownText } from "./markdown/writing.js";
import { editorKeys } from "./tools/keys.js";
import { clipboard } from "./tools/paste.js";
import { typingRules } from "./tools/rules.js";
import { Toolbar } from "./tools/toolbar.js";
import { uploadPlaces } from "./uploads.js";

/** A writer's sheet over a textarea of Markdown.

    The textarea stays the field of the form: it always holds the current text, fires `input` when the text changes, and is
    left as it was until then. Setting its value and firing `input` on it puts the new text on the sheet.
    Attributes: data-upload-image, data-upload-file (where to POST {file}; without one its button is not there),
    data-image-url ("/writing/images/{id}"), data-csrf, data-blocks="prose" (no blocks, only text). */
export class SishuEditor extends HTMLElement {
  #text = new MarkdownText();
  #shown = null; // the Markdown now on the sheet
  #listening = null;

  connectedCallback() {
    // A form framework fills a fresh textarea after inserting it: begin when it is done.
    queueMicrotask(() => this.isConnected && !this.view && this.#start());
  }

  disconnectedCallback() {
    queueMicrotask(() => !this.isConnected && this.#stop()); // being moved is not being removed
  }

  /** May this editor upload this kind of file? */
  can(kind) {
    if (this.dataset.blocks === "prose") return false;
    return Boolean(kind === "image" ? this.dataset.uploadImage : this.dataset.uploadFile);
  }

  get isSource() {
    return !this.textarea.hidden;
  }

  #start() {
    this.textarea = this.querySelector("textarea");
    if (!this.textarea) return;
    this.t = labelsFor(this);
    this.toolbar = new Toolbar(this);
    this.news = h("p", { className: "editor-news", role: "status" });
    this.toolbar.dom.append(this.news);
    this.mustFill = this.textarea.required;
    this.textarea.required = false; // a hidden field that must be filled stops a form without a word
    const sheet = h("div", { className: "editor-sheet" });
    this.textarea.before(this.toolbar.dom, sheet);
    this.view = new EditorView(sheet, {
      state: this.#read(this.textarea.value),
      nodeViews: viewsFor(this),
      attributes: () => this.#attributes(),
      dispatchTransaction: (tr) => this.#dispatch(tr),
      handleTextInput: ({ state }) => state.selection.node?.type === schema.nodes.card, // a key must not eat a block
      handleDOMEvents: {
        mousedown: (view, event) => this.#writeBelow(view, event),
        focus: () => this.toolbar.close(),
      },
    });
    this.classList.add("is-ready");
    this.textarea.hidden = true;
    this.#listen();
    this.#refresh();
  }

  #stop() {
    this.#listening?.abort();
    this.view?.destroy();
    this.view = null;
  }

  #listen() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.textarea.addEventListener("input", () => this.#fromTextarea(), { signal });
    this.textarea.form?.addEventListener("reset", () => queueMicrotask(() => this.#fromTextarea()), { signal });
    this.addEventListener("focusin", () => this.#fromTextarea(), { signal }); // somebody may have set it in silence
    for (const label of this.textarea.labels ?? [])
      label.addEventListener("click", () => !this.isSource && this.view.focus(), { signal });
  }

  #attributes() {
    const label = this.textarea.getAttribute("aria-label") ?? this.textarea.labels?.[0]?.textContent.trim();
    return {
      class: "prose",
      role: "textbox",
      "aria-multiline": "true",
      "aria-label": label || this.t("body"),
      ...(this.mustFill ? { "aria-required": "true" } : {}),
      ...(this.textarea.getAttribute("aria-describedby") && {
        "aria-describedby": this.textarea.getAttribute("aria-describedby"),
      }),
    };
  }

  #read(markdown) {
    this.#shown = markdown;
    return EditorState.create({ doc: this.#text.read(markdown), plugins: this.#plugins() });
  }

  #plugins() {
    return [
      typingRules(),
      ...editorKeys(() => this.toolbar.askLink()),
      history(),
      dropCursor({ class: "editor-drop", color: false }),
      gapCursor(),
      tableEditing(),
      clipboard(this),
      uploadPlaces(),
      cutlineWords(this.t),
      this.#placeholder(),
    ];
  }

  #placeholder() {
    const words = this.textarea.placeholder;
    return new Plugin({
      props: {
        decorations({ doc }) {
          const only = doc.childCount === 1 && doc.firstChild;
          if (!words || !only || only.type !== schema.nodes.paragraph || only.content.size) return null;
          return DecorationSet.create(doc, [
            Decoration.node(0, only.nodeSize, { class: "is-empty", "data-placeholder": words }),
          ]);
        },
      },
    });
  }

  #dispatch(tr) {
    this.view.updateState(this.view.state.apply(tr));
    if (tr.docChanged) this.#toTextarea();
    this.#refresh();
  }

  #toTextarea() {
    const markdown = this.#text.write(this.view.state.doc);
    if (markdown === this.#shown) return;
    this.#shown = markdown;
    this.textarea.value = markdown;
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #fromTextarea() {
    if (this.isSource || this.textarea.value === this.#shown) return;
    this.view.updateState(this.#read(this.textarea.value));
    this.#refresh();
  }

  #refresh() {
    this.toolbar.refresh(this.view.state);
    const around = this.closest("autosave-form") ?? this.closest("form");
    const counter = around?.querySelector("[data-word-count]");
    if (!counter) return;
    const { doc } = this.view.state;
    const count = countWords(doc.textBetween(0, doc.content.size, "\n", "\n")).toLocaleString();
    counter.textContent = this.t("words", { count });
  }

  /** A press on the empty paper below the last block starts a new paragraph there. */
  #writeBelow(view, event) {
    const last = view.dom.lastElementChild;
    if (event.target !== view.dom || !last || event.clientY < last.getBoundingClientRect().bottom) return false;
    const { doc, tr } = view.state;
    if (doc.lastChild.type !== schema.nodes.paragraph) tr.insert(doc.content.size, schema.nodes.paragraph.create());
    view.dispatch(tr.setSelection(TextSelection.atEnd(tr.doc)).scrollIntoView());
    view.focus();
    event.preventDefault();
    return true;
  }

  /** Change between the sheet and the Markdown source. */
  toggleSource() {
    this.textarea.hidden = !this.textarea.hidden;
    this.classList.toggle("is-source", this.isSource);
    if (this.isSource) {
      this.textarea.focus();
    } else {
      this.#fromTextarea();
      this.view.focus();
    }
    this.#refresh();
  }

  /** A quiet word under the toolbar; `isWrong` makes it stand out. */
  announce(words, isWrong = false) {
    this.news.textContent = words;
    this.news.classList.toggle("is-wrong", isWrong);
  }
}
