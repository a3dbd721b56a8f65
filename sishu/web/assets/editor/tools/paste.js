import { Plugin } from "prosemirror-state";
import { Slice } from "prosemirror-model";
import { readDocument } from "../markdown/reading.js";
import { MarkdownText } from "../markdown/writing.js";
import { schema } from "../markdown/schema.js";
import { upload } from "../uploads.js";

const LOOKS_LIKE_BLOCKS = /^ {0,3}(?:[-*+>#|]|\d+[.)]\s|```|~~~)/m;

/** Plain text is read as Markdown. Where nobody left blank lines, each line was meant as a paragraph. */
function paragraphs(text) {
  const unix = text.replace(/\r\n?/g, "\n").trim();
  return /\n\s*\n/.test(unix) || LOOKS_LIKE_BLOCKS.test(unix) ? unix : unix.replace(/\n/g, "\n\n");
}

/** Nothing of these reaches the sheet; but merely reading them makes the page's policy complain, one by one. */
const withoutStyles = (html) =>
  html.replace(/<[^>]+>/g, (tag) => tag.replace(/\s(?:style|on\w+)\s*=\s*("[^"]*"|'[^']*')/gi, ""));

function openSlice(doc) {
  const isOneLine = doc.childCount === 1 && doc.firstChild.type === schema.nodes.paragraph;
  return isOneLine ? new Slice(doc.content, 1, 1) : Slice.maxOpen(doc.content);
}

const MARKDOWN_SAFE = new Set(["doc", "text"]);

function markdownOf(slice) {
  const only = slice.content.childCount === 1 && slice.content.firstChild;
  if (only && (only.isText || MARKDOWN_SAFE.has(only.type.name)))
    return slice.content.textBetween(0, slice.content.size);
  try {
    const doc = schema.topNodeType.createAndFill(null, slice.content);
    return doc ? new MarkdownText().write(doc) : slice.content.textBetween(0, slice.content.size, "\n\n");
  } catch {
    return slice.content.textBetween(0, slice.content.size, "\n\n"); // part of a table or a list item on its own
  }
}

function uploads(view, editor, files) {
  let taken = false;
  for (const file of files ?? []) {
    const kind = file.type.startsWith("image/") ? "image" : "file";
    if (!editor.can(kind)) continue;
    taken = true;
    upload(view, editor, kind, file);
  }
  return taken;
}

export const clipboard = (editor) =>
  new Plugin({
    props: {
      clipboardTextParser: (text, $context, isPlain) =>
        isPlain ? null : openSlice(readDocument(paragraphs(text), {})),
      clipboardTextSerializer: markdownOf,
      transformPastedHTML: withoutStyles,
      handlePaste(view, event) {
        const files = event.clipboardData?.files;
        const hasText = event.clipboardData?.types.includes("text/html"); // a sheet copied as text and picture
        return Boolean(files?.length) && !hasText && uploads(view, editor, files);
      },
      handleDrop(view, event) {
        if (!event.dataTransfer?.files.length) return false;
        event.preventDefault();
        return uploads(view, editor, event.dataTransfer.files) || true;
      },
    },
  });
