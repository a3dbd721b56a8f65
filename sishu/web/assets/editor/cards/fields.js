import { h } from "../dom.js";

/* Fields of a card: each shows one key of its value and writes it back. `card.fields` remembers them for refresh. */

let count = 0;

function bind(card, name, control, { label, isHidden }) {
  const id = `editor-field-${++count}`;
  control.id = id;
  control.className = "editor-field";
  control.dataset.field = name;
  control.addEventListener("input", () => card.patch(name, control.value));
  (card.fields ??= []).push(control);
  const caption = h("label", { htmlFor: id, className: isHidden ? "editor-unseen" : "editor-label" }, label);
  return h("div", { className: isHidden ? "editor-row is-bare" : "editor-row" }, caption, control);
}

export function textField(card, name, label, options = {}) {
  const control = h("input", {
    type: options.type ?? "text",
    autocomplete: "off",
    placeholder: options.placeholder ?? "",
  });
  control.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault()); // not the form's
  return bind(card, name, control, { label, ...options });
}

export function areaField(card, name, label, options = {}) {
  return bind(card, name, h("textarea", { rows: 2, placeholder: options.placeholder ?? "" }), { label, ...options });
}

export function choiceField(card, name, label, choices, options = {}) {
  const known = choices.includes(card.value[name]) ? choices : [card.value[name] ?? "", ...choices];
  const control = h("select", {}, ...known.map((value) => h("option", { value }, card.t(value))));
  return bind(card, name, control, { label, ...options });
}

/** Show what the node says now, leaving alone the field that is already right (and its cursor). */
export function refreshFields(card) {
  for (const control of card.fields ?? []) {
    const value = String(card.value[control.dataset.field] ?? "");
    if (control.value !== value) control.value = value;
  }
}
