import { Plugin, PluginKey } from "prosemirror-state";
import { Decoration, DecorationSet } from "prosemirror-view";
import { textOf } from "./cards/card.js";
import { h } from "./dom.js";
import { schema } from "./markdown/schema.js";

/* A file on its way holds its place in the text by a decoration, which moves along while the writer writes on. */

const key = new PluginKey("uploads");

export const uploadPlaces = () =>
  new Plugin({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply(tr, places) {
        const moved = places.map(tr.mapping, tr.doc);
        const change = tr.getMeta(key);
        if (change?.add) return moved.add(tr.doc, [change.add]);
        if (change?.done) return moved.remove(moved.find(null, null, (spec) => spec.id === change.done));
        return moved;
      },
    },
    props: { decorations: (state) => key.getState(state) },
  });

const valueFor = {
  image: (answer) => ({ image: answer.id, alt: answer.alt ?? "", caption: "" }),
  file: (answer, file) => ({ document: answer.id, title: answer.title ?? file.name }),
};

async function send(url, csrf, file) {
  const body = new FormData();
  body.append("file", file);
  const headers = { Accept: "application/json", "X-CSRFToken": csrf ?? "" };
  const response = await fetch(url, { method: "POST", body, headers, credentials: "same-origin" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer.id === undefined)
    throw new Error(answer.message ?? answer.detail ?? `${response.status} ${response.statusText}`);
  return answer;
}

/** The nearest place between two top-level blocks. */
function between(doc, pos) {
  const $pos = doc.resolve(pos);
  if ($pos.depth === 0) return pos;
  const block = $pos.node(1);
  return block.content.size === 0 && block.type.name === "paragraph" ? $pos.before(1) : $pos.after(1);
}

/** Put a card at a place; an empty paragraph there gives way to it. */
export function placeCard(tr, pos, card) {
  const at = between(tr.doc, pos);
  const next = tr.doc.nodeAt(at);
  const isBlank = next?.type.name === "paragraph" && next.content.size === 0;
  return isBlank ? tr.replaceWith(at, at + next.nodeSize, card) : tr.insert(at, card);
}

/** Upload one file of a kind (image or file) and put its card where the cursor was. */
export async function upload(view, editor, kind, file) {
  const { t } = editor;
  const url = kind === "image" ? editor.dataset.uploadImage : editor.dataset.uploadFile;
  const id = {};
  const place = between(view.state.doc, view.state.selection.to);
  const words = t("uploading", { name: file.name });
  const mark = Decoration.widget(place, () => h("p", { className: "editor-uploading" }, words), { id, side: -1 });
  view.dispatch(view.state.tr.setMeta(key, { add: mark }));
  editor.announce(words);
  try {
    const answer = await send(url, editor.dataset.csrf, file);
    const pos = key.getState(view.state).find(null, null, (spec) => spec.id === id)[0]?.from;
    const card = schema.nodes.card.create({ kind, text: textOf(valueFor[kind](answer, file)) });
    view.dispatch(placeCard(view.state.tr.setMeta(key, { done: id }), pos ?? view.state.doc.content.size, card));
    editor.announce("");
  } catch (error) {
    if (view.isDestroyed) return;
    view.dispatch(view.state.tr.setMeta(key, { done: id }));
    const reason = error instanceof TypeError ? t("offline") : error.message;
    editor.announce(t("failed", { name: file.name, reason }), true);
  }
}
