import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith, otherNode } from '../support/needs.ts'
import { writeTrafficFile } from '../support/traffic-file.ts'

const program = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'signalbox-elsewhere-'))
const file = join(folder, 'records.ndjson')
const records = 10_000
beforeAll(() => writeTrafficFile(file, records))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function replay(binary: string): unknown {
  const args = [program, 'replay', '--all', '--from', file, '--json']
  return JSON.parse(execFileSync(binary, args, { encoding: 'utf8', cwd: folder }))
}
const all = { ok: true, records, same: records, different: 0, replayablePpm: 1_000_000 }

it('10,000 calls that one process decided are decided the same by another one, from a file alone', {
  timeout: 120_000,
}, () => {
  expect(replay(process.execPath)).toMatchObject(all)
})

describeWith('otherNode', 'another Node', () => {
  it('decides 10,000 recorded calls as this one did', { timeout: 120_000 }, () => {
    expect(replay(otherNode())).toMatchObject(all)
  })
})
