/* Bundles what the browser gets into sishu/web/static/build/.
   Names are stable: Django's manifest storage adds the hashes. No source maps are written,
   because that storage refuses a reference to a file that is not there. */
import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const assets = dirname(fileURLToPath(import.meta.url));
const target = ["chrome111", "firefox114", "safari16.4"];

/* In the studio the page is Wagtail's, so the site's own rules for prose and blocks come along, fenced in by nesting. */
const fenced = {
  name: "fenced",
  setup(build) {
    build.onLoad({ filter: /\/editor\/studio\.css$/ }, async ({ path }) => {
      const read = (name) => readFile(join(assets, "css", `${name}.css`), "utf8");
      const parts = await Promise.all(["prose", "blocks", "tables"].map(read));
      const own = await readFile(path, "utf8");
      return { loader: "css", contents: `${own}\nsishu-editor {\n${parts.join("\n")}\n}` };
    });
  },
};

const options = {
  absWorkingDir: assets,
  entryPoints: {
    site: "css/site.css",
    editor: "editor/editor.css",
    "editor-studio": "editor/studio.css",
    studio: "css/studio.css",
  },
  outdir: join(assets, "../static/build"),
  bundle: true,
  minify: true,
  target,
  charset: "utf8",
  legalComments: "none",
  loader: { ".woff2": "file" },
  assetNames: "fonts/[name]",
  plugins: [fenced],
  logLevel: "warning",
};

const scripts = {
  ...options,
  entryPoints: { site: "js/site.js", theme: "js/theme.js", studio: "js/studio.js", editor: "editor/editor.js" },
  format: "iife",
};

if (process.argv.includes("--watch")) {
  for (const each of [options, scripts]) await (await esbuild.context(each)).watch();
} else {
  await rm(options.outdir, { recursive: true, force: true });
  await Promise.all([options, scripts].map((each) => esbuild.build(each)));
}
