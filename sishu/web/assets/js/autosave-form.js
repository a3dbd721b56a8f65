import { Copy } from "./local-copy.js";

const PAUSE = 5000; // milliseconds between a change and its saving
const RETRY = 15000; // and between two tries while the line is down

/** Saves the form inside it a moment after each change, and never over somebody else's change.

    Attributes: data-url (where to POST; JSON comes back), data-key (names the copy kept in this browser), and the words
    data-saving, data-saved ("Saved at {time}"), data-offline, data-refused ("Not saved: {message}"), data-conflicted.
    Children: one form with a hidden "version"; optional [data-status], [data-conflict] and [data-restore] (both hidden).
    A save answers {"version": …}, and after the first save of something new also {"url": …, "location": …}: where to POST
    from now on, and what the address bar should say. 409 means that it changed elsewhere: saving stops and
    [data-conflict] is shown. Until a save succeeds the text stays in this browser and [data-restore] offers it back. */
export class AutosaveForm extends HTMLElement {
  #changed = false;
  #saving = false;
  #stopped = false;
  #timer = 0;
  #listening = new AbortController();

  connectedCallback() {
    this.form = this.querySelector("form");
    if (!this.form) return;
    this.copy = new Copy(`autosave:${this.dataset.key}`, this.form);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.form.addEventListener("input", () => this.#change(), { signal });
    this.form.addEventListener("change", () => this.#change(), { signal });
    this.form.addEventListener("focusout", () => this.save(), { signal });
    this.form.addEventListener("submit", () => this.#submit(), { signal });
    window.addEventListener("online", () => this.save(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.save(), { signal });
    this.#offerCopy(signal);
  }

  disconnectedCallback() {
    this.#wait();
    this.#listening.abort();
  }

  /** Save now if anything changed since the last save. */
  async save() {
    if (!this.#changed || this.#saving || this.#stopped) return;
    this.#wait();
    this.#saving = true;
    this.#changed = false;
    this.#say("saving");
    try {
      await this.#settle(await this.#post());
    } catch {
      this.#changed = true;
      this.#say("offline");
      this.#later(RETRY);
    } finally {
      this.#saving = false;
      if (this.#changed && !this.#timer) this.#later(PAUSE);
    }
  }

  #change() {
    if (this.#stopped) return;
    this.#changed = true;
    this.copy.keep();
    this.#later(PAUSE);
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #later(pause) {
    this.#wait();
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.save();
    }, pause);
  }

  #submit() {
    this.#stopped = true; // the form itself saves now; a late autosave would meet its own new version
    this.#wait();
    this.copy.submitted();
  }

  #post() {
    const body = new FormData(this.form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name); // files go with the form
    return fetch(this.dataset.url, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
  }

  async #settle(response) {
    const answer = await response.json().catch(() => ({}));
    if (response.status === 409) return this.#conflict();
    // Without a version it is no answer to a save: a sign-in page after the session ended, say.
    if (!response.ok || answer.version === undefined)
      return this.#say("refused", { message: answer.message ?? answer.detail ?? response.statusText });
    const version = this.form.elements.namedItem("version");
    if (version) version.value = answer.version;
    if (answer.url) this.dataset.url = answer.url;
    if (answer.location) history.replaceState(history.state, "", answer.location);
    if (!this.#changed) this.copy.drop();
    const time = new Date().toLocaleTimeString(this.closest("[lang]")?.lang || undefined, {
      hour: "2-digit",
      minute: "2-digit",
    });
    this.#say("saved", { time });
  }

  #conflict() {
    this.#stopped = true;
    this.#wait();
    this.#say("conflicted");
    const note = this.querySelector("[data-conflict]");
    if (note) note.hidden = false;
  }

  #say(state, values = {}) {
    const status = this.querySelector("[data-status]");
    if (!status) return;
    status.dataset.status = state;
    status.textContent = (this.dataset[state] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  #offerCopy(signal) {
    const offer = this.querySelector("[data-restore]");
    if (!offer || !this.copy.isNews()) return;
    offer.hidden = false;
    offer.addEventListener(
      "click",
      () => {
        offer.hidden = true;
        this.copy.restore();
      },
      { signal },
    );
  }
}
