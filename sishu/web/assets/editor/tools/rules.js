import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from "prosemirror-inputrules";
import { schema } from "../markdown/schema.js";

/* Markdown typed as Markdown: the signs turn into what they mean as soon as they are complete. */

const { nodes, marks } = schema;

/** `sign`text`sign` becomes marked text; the pattern's last group is the text. */
function markRule(pattern, type) {
  return new InputRule(pattern, (state, match, start, end) => {
    const content = match.at(-1);
    const from = start + match[0].indexOf(match[1]);
    const inside = from + match[1].indexOf(content);
    if (state.doc.rangeHasMark(from, end, marks.code)) return null;
    const tr = state.tr;
    if (inside + content.length < end) tr.delete(inside + content.length, end);
    if (inside > from) tr.delete(from, inside);
    tr.addMark(from, from + content.length, type.create());
    return tr.removeStoredMark(type);
  });
}

const rule = new InputRule(/^(?:---|\*\*\*|___)$/, (state, match, start, end) => {
  const $start = state.doc.resolve(start);
  return $start.parent.type === nodes.paragraph && $start.depth === 1
    ? state.tr.replaceRangeWith($start.before(), $start.after(), nodes.horizontal_rule.create()).scrollIntoView()
    : null;
});

export const typingRules = () =>
  inputRules({
    rules: [
      textblockTypeInputRule(/^(#{1,6})\s$/, nodes.heading, (match) => ({ level: match[1].length })),
      textblockTypeInputRule(/^```([\w+#.-]*)\s$/, nodes.code_block, (match) => ({ language: match[1] })),
      wrappingInputRule(/^\s*>\s$/, nodes.blockquote),
      wrappingInputRule(/^\s*([-+*])\s$/, nodes.bullet_list, (match) => ({ marker: match[1] })),
      wrappingInputRule(
        /^(\d{1,9})([.)])\s$/,
        nodes.ordered_list,
        (match) => ({ order: Number(match[1]), marker: match[2] }),
        (match, list) => list.childCount + list.attrs.order === Number(match[1]),
      ),
      rule,
      markRule(/(\*\*([^*\s](?:[^*]*[^*\s])?)\*\*)$/, marks.strong),
      markRule(/(?:^|[^*])(\*([^*\s](?:[^*]*[^*\s])?)\*)$/, marks.em),
      markRule(/(~~([^~\s](?:[^~]*[^~\s])?)~~)$/, marks.strike),
      markRule(/(`([^`]+)`)$/, marks.code),
    ],
  });
