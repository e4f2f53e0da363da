import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildConsole } from '../../../policies/cli/console-build.ts'
import { Output } from '../../../policies/cli/output.ts'

const countingBuilder = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs')
appendFileSync('builds', '.')
mkdirSync('web/dist', { recursive: true })
writeFileSync('web/dist/index.html', '<html>')
`
let root: string
let stderr: PassThrough
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-console-'))
  for (const folder of ['web/pages', 'sdk', 'node_modules/vite/bin'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'web/pages/overview.ts'), '')
  writeFileSync(join(root, 'node_modules/vite/bin/vite.js'), countingBuilder)
  stderr = new PassThrough()
})
afterEach(() => rmSync(root, { recursive: true }))

const build = () => buildConsole(new Output(false, { stdout: new PassThrough(), stderr }), root)
const builds = () => readFileSync(join(root, 'builds'), 'utf8').length

describe('buildConsole', () => {
  it('builds in a fresh clone, and again only where a source is newer than what was built', async () => {
    await build()
    await build()
    expect(builds()).toBe(1)
    const later = Date.now() / 1000 + 10
    utimesSync(join(root, 'web/pages/overview.ts'), later, later)
    await build()
    expect(builds()).toBe(2)
  })

  it('leaves an installation without the builder alone', async () => {
    rmSync(join(root, 'node_modules'), { recursive: true })
    await build()
    expect(existsSync(join(root, 'web/dist'))).toBe(false)
  })

  it('says what the builder said, and goes on', async () => {
    writeFileSync(join(root, 'node_modules/vite/bin/vite.js'), 'console.error("no room"); process.exit(1)')
    await build()
    expect(String(stderr.read())).toBe('The console was not built: no room\n')
  })
})
