/** Writes the service worker with the names of the files that it keeps, so that each build is another worker. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin, Rollup } from "vite";

/** Large, and not needed to start: kept once they were used. */
const WHEN_USED = ["/node_modules/echarts/", "/node_modules/zrender/", "/node_modules/jssip/"];
/** Of the folder `public`, whose files are not in the bundle. */
const BESIDE = ["/icon.svg"];

const large = (chunk: Rollup.OutputChunk): boolean =>
  chunk.moduleIds.some((id) => WHEN_USED.some((part) => id.includes(part)));

/** Emit `sw.js` from worker/sw.js. */
export function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const digest = createHash("sha256");
      const files = [...BESIDE];
      for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (name === "index.html" && file.type === "asset") digest.update(file.source);
        if (!name.startsWith("assets/") || (file.type === "chunk" && large(file))) continue;
        files.push(`/${name}`);
      }
      for (const path of BESIDE) digest.update(readFileSync(new URL(`public${path}`, import.meta.url)));
      digest.update(files.join("\n"));
      const source = readFileSync(new URL("worker/sw.js", import.meta.url), "utf8")
        .replace("{{build}}", digest.digest("hex").slice(0, 16))
        .replace("{{files}}", JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}
