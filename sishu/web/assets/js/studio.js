/* Wagtail starts some of its widgets by scripts inside the page, which our policy forbids. Where they stood, our templates
   and web/studio/widgets.py leave <start-widget data-name="ImageChooser" data-for="id_cover" data-options="{…}">. */
const NAMES = /^(\w*Chooser|InlinePanel|MultipleChooserPanel)$/;

class StartWidget extends HTMLElement {
  connectedCallback() {
    // In the page itself the widgets' own scripts are still to come; yet Stimulus, which takes dropdowns apart, comes after us.
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => this.start(), { capture: true });
    else this.start();
  }

  start() {
    if (!this.isConnected) return; // moved about, and started already
    const { name, for: id, options } = this.dataset;
    this.remove();
    if (!NAMES.test(name)) return;
    const widget = window[name];
    const given = [id, options && JSON.parse(options)].filter((argument) => argument !== undefined);
    if (/^[A-Z]/.test(name)) new widget(...given);
    else widget(...given);
  }
}

customElements.define("start-widget", StartWidget);

/* On a telephone the rows of our lists are folded, and each cell says what its column is called (css/studio.css). */
function nameCells() {
  for (const table of document.querySelectorAll("table.fold")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim().replace(/\s+/g, " "));
    for (const { cells } of table.tBodies[0].rows) {
      for (const cell of cells) {
        if (names[cell.cellIndex]) cell.dataset.l = names[cell.cellIndex];
        cell.toggleAttribute("data-blank", !cell.textContent.trim() && !cell.querySelector("a, button, svg"));
      }
    }
  }
}

addEventListener("DOMContentLoaded", nameCells);
// A search puts other rows there.
addEventListener("w-swap:success", nameCells);
