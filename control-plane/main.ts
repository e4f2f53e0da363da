import { readFileSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}
// As in the gateway: a later start takes the compiled form of the first; where that cannot be written, all works.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/signalbox', import.meta.url)))
const { runControlPlane } = await import('./run-control-plane.ts')
await runControlPlane({
  version,
  onListening(url) {
    flushCompileCache()
    // A parent that opened a channel learns that it is this process that listens, not another on the same port.
    process.send?.({ type: 'listening', url })
  },
})
// What a library left open must not keep a stopped program alive.
process.exit()
