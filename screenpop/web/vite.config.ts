import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

import { firstLoadBudget } from "./firstload.ts";
import { serviceWorker } from "./shell.ts";

// The development server passes API calls on to a service started with `callcenter serve` or `make demo`.
const service = process.env["CALLCENTER_DEV_SERVICE"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue(), firstLoadBudget(), serviceWorker()],
  logLevel: process.env["CI"] ? "warn" : "info",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    // A page that fetches nothing inline can be served under a strict Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // What the desk shares with other pages in one file: each of two dozen small ones costs a slow machine as much time as
    // what is in it.
    rollupOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "shared", test: /\/src\/(api|components|desk|phone|stream|[a-z0-9]+\.ts)|plugin-vue/, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: service, changeOrigin: false } } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
