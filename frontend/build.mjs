// Builds frontend/src/*.js and frontend/src/app.css into static/dist. `--watch` rebuilds on every change.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = resolve(here, "..", "static", "dist");
const watch = process.argv.includes("--watch");

const scripts = readdirSync(source).filter((name) => name.endsWith(".js"));
const options = {
  entryPoints: [...scripts, "app.css"].map((name) => join(source, name)),
  outdir: target,
  bundle: true,
  format: "iife", // each page loads what it needs by a plain deferred script
  target: ["chrome123", "firefox128", "safari17.5"],
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  charset: "utf8",
  legalComments: "none",
  loader: { ".svg": "dataurl", ".woff2": "file" },
  logLevel: "warning",
};

mkdirSync(target, { recursive: true });
if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log(`watching ${source}`);
} else {
  const { metafile } = await esbuild.build({ ...options, metafile: true });
  const built = new Set(Object.keys(metafile.outputs).map((path) => resolve(path)));
  for (const name of readdirSync(target)) {
    if (!built.has(join(target, name))) rmSync(join(target, name), { recursive: true });
  }
}
