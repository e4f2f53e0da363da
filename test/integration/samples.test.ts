import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith, pythonWithClients } from '../support/needs.ts'
import { type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'

const run = promisify(execFile)
const samples = fileURLToPath(new URL('../samples/', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

let signalbox: RunningSignalbox
let folder: string

beforeAll(async () => {
  signalbox = await startSignalbox()
  const key = await signalbox.createKey()
  folder = mkdtempSync(join(tmpdir(), 'signalbox-samples-'))
  symlinkSync(modules, join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const name of readdirSync(samples)) {
    const text = readFileSync(join(samples, name), 'utf8')
    writeFileSync(
      join(folder, name),
      text.replace('http://127.0.0.1:8787', signalbox.gatewayUrl).replace('sb_...', key),
    )
  }
}, 120_000)

afterAll(async () => {
  await signalbox?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Text that a person would take for an answer. */
const answer = /\S+ \S+/

describe('the guides’ TypeScript samples, against a plain start without provider keys', () => {
  it.each(
    readdirSync(samples).filter((name) => name.endsWith('.ts')),
  )('%s prints an answer', async (name) => {
    const { stdout } = await run(process.execPath, [join(folder, name)])
    expect(stdout).toMatch(answer)
  })
})

describeWith('python', 'the guides’ Python samples, against a plain start without provider keys', () => {
  it.each(
    readdirSync(samples).filter((name) => name.endsWith('.py')),
  )('%s prints an answer', async (name) => {
    const { stdout } = await run(pythonWithClients(), [join(folder, name)])
    expect(stdout).toMatch(answer)
  })
})
