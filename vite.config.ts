import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";

const entries = resolve(import.meta.dirname, "frontend/entries");

// Every file of frontend/entries is a page's script; Django finds what it became through manifest.json.
export default defineConfig({
  base: "./",
  publicDir: false,
  build: {
    outDir: resolve(import.meta.dirname, "doorstep/kernel/web/static/built"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // Files keep their own address: they are cached for themselves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      // htmx can evaluate code in attributes; our content security policy forbids it and htmx.config.allowEval is off.
      checks: { eval: false },
      input: readdirSync(entries)
        .filter((name) => name.endsWith(".ts"))
        .map((name) => resolve(entries, name)),
      output: {
        // Charts are large and change rarely: a chunk of their own stays in the browser's cache.
        manualChunks: (id: string) => (/node_modules\/(echarts|zrender)\//.test(id) ? "echarts" : undefined),
      },
    },
  },
});
