/** Asks WeChat's own browser to take a payment, as soon as it can and again by the button [data-pay].

    Attributes: data-parameters (JSON for getBrandWCPayRequest), data-done (where to go once it says "ok": the house then
    asks the provider, since the browser's word is no proof). One of its [data-state] is shown: waiting, cancelled, failed. */
export class WeixinPay extends HTMLElement {
  #listening = new AbortController();

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.querySelector("[data-pay]")?.addEventListener("click", () => this.#ask(), { signal });
    if (window.WeixinJSBridge) this.#ask();
    else document.addEventListener("WeixinJSBridgeReady", () => this.#ask(), { signal, once: true });
  }

  disconnectedCallback() {
    this.#listening.abort();
  }

  #ask() {
    if (!window.WeixinJSBridge) return this.#show("failed");
    this.#show("waiting");
    const parameters = JSON.parse(this.dataset.parameters);
    window.WeixinJSBridge.invoke("getBrandWCPayRequest", parameters, (answer) => this.#hear(answer?.err_msg ?? ""));
  }

  #hear(message) {
    if (message.endsWith(":ok")) location.assign(this.dataset.done);
    else this.#show(message.endsWith(":cancel") ? "cancelled" : "failed");
  }

  #show(state) {
    for (const words of this.querySelectorAll("[data-state]")) words.hidden = words.dataset.state !== state;
  }
}
