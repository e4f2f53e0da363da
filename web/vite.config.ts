import { defineConfig } from 'vite'

/** Builds the console into `dist`, which the control plane serves. */
export default defineConfig({
  root: import.meta.dirname,
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
