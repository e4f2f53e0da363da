import { readFileSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}
// Under load V8 takes the objects that calls are made of for long-lived, since some are alive at each collection, and
// makes them in the old part of its heap. There each dead one keeps alive what it points at until the next full
// collection: 2 MB of each 25 MB were moved for nothing, and a fifth of a loaded gateway's time went with it.
setFlagsFromString('--no-allocation-site-pretenuring')
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
