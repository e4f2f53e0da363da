import { readFileSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}
// Sources run as they are: a later start takes the compiled form of the first one, which halves its work. The folder is
// beside the sources, so that whoever could change the one can change the other; where it cannot be written, all works.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/signalbox', import.meta.url)))
const { runGateway } = await import('./run-gateway.ts')
await runGateway({
  version,
  onListening() {
    flushCompileCache()
    // A parent that opened a channel learns that it is this process that listens, not another on the same port.
    process.send?.({ type: 'listening' })
  },
})
// What a library left open must not keep a stopped program alive.
process.exit()
