import { h } from "../dom.js";
import { areaField, choiceField, refreshFields, textField } from "./fields.js";

export const TIERS = ["SIGNED_IN", "PAID"];

const paywall = {
  name: (card) => card.t("paywall"),
  draw(card) {
    card.dom.classList.add("cutline");
    card.above = h("span", { className: "editor-above" });
    card.body.append(choiceField(card, "tier", card.t("tier"), TIERS, { isHidden: true }), card.above);
  },
  refresh: refreshFields,
};

const callout = {
  name: (card) => card.t("callout"),
  draw(card) {
    const unseen = (name) => [card.t(name), { isHidden: true, placeholder: card.t(name) }];
    const words = h(
      "div",
      {},
      textField(card, "title", ...unseen("title")),
      areaField(card, "text", ...unseen("text")),
    );
    card.body.append(choiceField(card, "kind", card.t("kind"), ["note", "tip", "warning"], { isHidden: true }), words);
  },
  refresh: refreshFields,
};

const image = {
  name: (card) => card.t("image"),
  draw(card) {
    card.picture = h("div", { className: "editor-picture" });
    card.body.append(
      card.picture,
      textField(card, "caption", card.t("caption")),
      textField(card, "alt", card.t("alt"), { placeholder: card.t("altHelp") }),
    );
  },
  refresh(card) {
    refreshFields(card);
    const id = card.value.image;
    if (card.shown === id) return;
    card.shown = id;
    const named = h("span", {}, card.t("picture", { id }));
    const template = card.editor.dataset.imageUrl;
    if (!template) return card.picture.replaceChildren(named);
    const src = template.replace("{id}", encodeURIComponent(id));
    const img = h("img", { alt: "", onerror: () => card.picture.replaceChildren(named) });
    img.src = src;
    card.picture.replaceChildren(img);
  },
};

const file = {
  name: (card) => card.t("file"),
  draw(card) {
    card.body.append(textField(card, "title", card.t("file"), { placeholder: card.t("title") }));
  },
  refresh: refreshFields,
};

const embed = {
  name: (card) => card.t("embed"),
  draw(card) {
    card.body.append(
      textField(card, "url", card.t("embed"), { type: "url", placeholder: "https://" }),
      textField(card, "caption", card.t("caption")),
    );
  },
  refresh: refreshFields,
};

/** A block this editor does not know, or whose text is not what it should be. Nobody can break it here. */
export const locked = {
  name: (card) => card.t("locked"),
  draw(card) {
    card.dom.classList.add("is-locked");
    card.source = h("pre");
    card.body.append(
      h("b", {}, card.t("locked")),
      h("p", { className: "editor-help" }, card.t("lockedHelp", { kind: card.node.attrs.kind })),
      h("details", {}, h("summary", {}, card.t("show")), card.source),
    );
  },
  refresh(card) {
    card.source.textContent = card.node.attrs.text;
  },
};

export const faces = { paywall, callout, image, file, embed };
