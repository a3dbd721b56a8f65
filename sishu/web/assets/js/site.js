/* What every page loads, deferred. */
import htmx from "htmx.org";
import { AutosaveForm } from "./autosave-form.js";
import { CopyButton } from "./copy-button.js";
import { ReturnPlace } from "./return-place.js";
import { WeixinPay } from "./weixin-pay.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false; // an injected <style> would need a weaker content policy
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // a paid page must not stay in this browser's storage after signing out

customElements.define("autosave-form", AutosaveForm);
customElements.define("copy-button", CopyButton);
customElements.define("return-place", ReturnPlace);
customElements.define("weixin-pay", WeixinPay);
