/* What every page loads, deferred. */
import htmx from "htmx.org";
import { AutosaveForm } from "./autosave-form.js";
import { ReturnPlace } from "./return-place.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false; // an injected <style> would need a weaker content policy
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // a paid page must not stay in this browser's storage after signing out

customElements.define("autosave-form", AutosaveForm);
customElements.define("return-place", ReturnPlace);
