/** The whole front end in one file, as it would be if nothing were loaded lazily: what `bench/paint.py` compares with. */
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [vue()],
  logLevel: "warn",
  build: {
    outDir: "node_modules/.unsplit",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 10_000,
    rollupOptions: { output: { codeSplitting: false } },
  },
});
