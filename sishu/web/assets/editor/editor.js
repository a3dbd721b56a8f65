/* The writer's editor, loaded only where somebody writes. */
import { SishuEditor } from "./element.js";

customElements.define("sishu-editor", SishuEditor);
