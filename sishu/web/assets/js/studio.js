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
