/** Words the way each script counts them: every 汉字 is one, every run of other letters and digits is one. */
export function countWords(text) {
  return (text.match(/\p{Script=Han}|[^\P{L}\p{Script=Han}]+(?:['’.-][^\P{L}\p{Script=Han}]+)*|\p{N}+/gu) ?? []).length;
}

/** Words of a document between two positions; cards do not count. */
export function countBetween(doc, from, to) {
  return countWords(doc.textBetween(from, to, "\n", "\n"));
}
