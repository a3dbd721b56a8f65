const PRIVATE = new Set(["csrfmiddlewaretoken", "version"]);

/** A copy of a form's text in this browser, kept while the server does not have it. */
export class Copy {
  constructor(key, form) {
    this.key = key;
    this.form = form;
  }

  keep() {
    this.#write({ version: this.#version, fields: this.#fields() });
  }

  /** The form was sent the ordinary way: if the page comes back with another version, the server has the text. */
  submitted() {
    const copy = this.#read();
    if (copy) this.#write({ ...copy, isSubmitted: true });
  }

  drop() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // Nothing was kept either.
    }
  }

  /** Does the copy hold something the form does not? One that arrived after all is thrown away. */
  isNews() {
    const copy = this.#read();
    if (!copy) return false;
    const arrived = copy.isSubmitted && copy.version !== this.#version;
    const isSame = JSON.stringify(copy.fields) === JSON.stringify(this.#fields());
    if (arrived || isSame) this.drop();
    return !arrived && !isSame;
  }

  restore() {
    const wanted = new Map();
    for (const [name, value] of this.#read()?.fields ?? []) wanted.set(name, [...(wanted.get(name) ?? []), value]);
    for (const field of this.form.elements) {
      if (!field.name || PRIVATE.has(field.name) || field.type === "file") continue;
      const values = wanted.get(field.name) ?? [];
      if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
      else if (field.multiple) for (const option of field.options) option.selected = values.includes(option.value);
      else if (values.length) field.value = values.shift();
      else continue;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  get #version() {
    return this.form.elements.namedItem("version")?.value ?? null;
  }

  #fields() {
    return [...new FormData(this.form)].filter(([name, value]) => !PRIVATE.has(name) && typeof value === "string");
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  #write(copy) {
    try {
      localStorage.setItem(this.key, JSON.stringify(copy));
    } catch {
      // Storage is full or forbidden; the server's copy is the one that counts.
    }
  }
}
