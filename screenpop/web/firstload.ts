/** What a browser fetches before an agent sees the desk, held under a budget at every build. */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Kilobytes (1024 bytes) after gzip. */
const BUDGET_KB = 350;

/** What the desk loads lazily, and the text of one language, count too. */
const ALSO_FIRST = [
  "src/locales/zh-CN.json",
  "libphonenumber-js/min/index.js",
];

/** Print the size of the first load, and fail the build where it is above the budget. */
export function firstLoadBudget(): Plugin {
  return {
    name: "first-load-budget",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const wanted = new Set<string>();
      const follow = (name: string): void => {
        const file = bundle[name];
        if (!file || wanted.has(name)) return;
        wanted.add(name);
        if (file.type !== "chunk") return;
        file.imports.forEach(follow);
        file.viteMetadata?.importedCss.forEach(follow);
      };
      let first = 0;
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== "chunk") continue;
        const source = file.facadeModuleId ?? "";
        if (file.isEntry || ALSO_FIRST.some((path) => source.endsWith(path))) {
          follow(name);
          first += 1;
        }
      }
      if (first !== ALSO_FIRST.length + 1) {
        this.error("the first load cannot be measured: firstload.ts names a page or language that is gone");
      }
      let total = 0;
      const lines: string[] = [];
      for (const name of [...wanted].sort()) {
        const file = bundle[name]!;
        const size = gzipSync(file.type === "chunk" ? file.code : file.source).length;
        total += size;
        lines.push(`  ${(size / 1024).toFixed(1).padStart(7)} KB  ${name}`);
      }
      const summary = `first load of the desk: ${(total / 1024).toFixed(1)} KB gzip of ${BUDGET_KB} KB`;
      console.info(`\n${lines.join("\n")}\n${summary}`);
      if (total > BUDGET_KB * 1024) this.error(`${summary}: load something lazily, or leave it out`);
    },
  };
}
