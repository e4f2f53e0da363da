#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// As in the gateway: a later run takes the compiled form of the first; where that cannot be written, all works.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/signalbox', import.meta.url)))
const { runProcess } = await import('./run-process.ts')
process.exitCode = await runProcess(process.argv.slice(2))
// A channel that is listened to would keep this process alive.
if (process.connected) process.disconnect?.()
