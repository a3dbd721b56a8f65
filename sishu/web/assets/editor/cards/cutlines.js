import { Plugin } from "prosemirror-state";
import { countBetween } from "../count.js";
import { valueOf } from "./card.js";

/** The paywalls of a document in order: {pos, tier}. */
export function cutlines(doc) {
  const found = [];
  doc.forEach((node, pos) => {
    if (node.type.name === "card" && node.attrs.kind === "paywall") found.push({ pos, tier: valueOf(node)?.tier });
  });
  return found;
}

/** Keeps each cut line's words true: how much stands above it, and which tiers other lines have taken. */
export function cutlineWords(t) {
  return new Plugin({
    view: (view) => {
      const refresh = () => {
        const lines = cutlines(view.state.doc);
        lines.forEach(({ pos, tier }, index) => {
          const dom = view.nodeDOM(pos);
          const above = dom?.querySelector?.(".editor-above");
          if (!above) return;
          const count = countBetween(view.state.doc, lines[index - 1]?.pos ?? 0, pos).toLocaleString();
          above.textContent = t(index === 0 ? "freeUntilHere" : "betweenHere", { count });
          const taken = new Set(lines.map((line) => line.tier).filter((other) => other !== tier));
          for (const option of dom.querySelectorAll("option")) option.disabled = taken.has(option.value);
        });
      };
      refresh();
      return { update: (_, before) => view.state.doc !== before.doc && refresh() };
    },
  });
}
