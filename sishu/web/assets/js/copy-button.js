/** A button that copies its `data-text`. It is drawn only where the browser lets a page copy; without scripts there is none.

    Words: data-label, data-copied, and data-name (what a screen reader calls it, since "Copy" alone says not what). */
export class CopyButton extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    if (!navigator.clipboard || this.firstChild) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-small";
    button.textContent = this.dataset.label;
    button.setAttribute("aria-label", this.dataset.name);
    const told = document.createElement("span");
    told.className = "vh";
    told.setAttribute("role", "status");
    this.append(button, told);
    button.addEventListener("click", () => this.#copy(button, told));
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  async #copy(button, told) {
    try {
      await navigator.clipboard.writeText(this.dataset.text);
    } catch {
      return; // the browser was told not to: the text stands beside the button
    }
    button.textContent = told.textContent = this.dataset.copied;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      button.textContent = this.dataset.label;
      told.textContent = "";
    }, 2000);
  }
}
