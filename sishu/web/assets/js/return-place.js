/** Brings a reader back to the line they left to pay.

    A click on (or submit of) anything with data-keep-place remembers which block of the text stood where in the window;
    opening the same path with #continue puts that block back to that height. The free part is a prefix of the whole text,
    so a block keeps its number when the page grows. */
export class ReturnPlace extends HTMLElement {
  #key = "return-place";
  #leave = (event) => {
    if (event.target.closest?.("[data-keep-place]")) this.#remember();
  };

  connectedCallback() {
    document.addEventListener("click", this.#leave);
    document.addEventListener("submit", this.#leave);
    if (location.hash === "#continue") this.#comeBack();
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.#leave);
    document.removeEventListener("submit", this.#leave);
  }

  get #blocks() {
    return [...this.querySelectorAll(this.dataset.blocks ?? ".prose > *")];
  }

  /** Where this page is, whatever its language prefix or query: the address without the fragment. */
  get #path() {
    return this.dataset.path ?? location.pathname;
  }

  #remember() {
    const blocks = this.#blocks;
    if (!blocks.length) return;
    const inView = blocks.findIndex((block) => block.getBoundingClientRect().bottom > 0);
    const index = inView < 0 ? blocks.length - 1 : inView;
    const offset = blocks[index].getBoundingClientRect().top;
    try {
      sessionStorage.setItem(this.#key, JSON.stringify({ path: this.#path, index, offset }));
    } catch {
      // Without storage the browser goes to the #continue anchor instead.
    }
  }

  #recall() {
    try {
      const place = JSON.parse(sessionStorage.getItem(this.#key));
      return place?.path === this.#path ? place : null;
    } catch {
      return null;
    }
  }

  #comeBack() {
    const place = this.#recall();
    const block = place && this.#blocks[place.index];
    if (!block) return;
    history.scrollRestoration = "manual";
    const scroll = () =>
      window.scrollBy({ top: block.getBoundingClientRect().top - place.offset, behavior: "instant" });
    scroll();

    // Fonts and pictures above may still move the text; hold the line until the reader takes over.
    const hold = new ResizeObserver(scroll);
    hold.observe(document.body);
    const release = () => {
      hold.disconnect();
      sessionStorage.removeItem(this.#key);
      history.replaceState(history.state, "", location.pathname + location.search);
    };
    for (const name of ["wheel", "touchstart", "pointerdown", "keydown"])
      window.addEventListener(name, release, { once: true, passive: true });
  }
}
