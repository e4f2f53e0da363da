import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCli } from '../../support/run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'signalbox-failure-'))
afterAll(() => rmSync(folder, { recursive: true }))
const nowhere = { url: 'http://127.0.0.1:1', dataDir: folder }
const run = (...args: string[]) => runCli(nowhere, ...args, '--json')
const runWithToken = (...args: string[]) => runCli({ ...nowhere, token: 'sbt_x' }, ...args, '--json')

describe('a verb with --json that fails', () => {
  it('prints what its own side found, as a document like the control plane’s', async () => {
    const { code, stdout, stderr } = await runWithToken('limits', 'set', '--team', 'search')
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      { error: { code: 'failed', message: 'Give one of --requests, --tokens and --concurrency.' } },
    ])
    expect(stderr).toBe('error Give one of --requests, --tokens and --concurrency.\n')
  })

  it('prints that it lacks a token', async () => {
    const { code, stdout } = await run('teams', 'list')
    expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'key_missing'])
  })

  it('prints that nobody answers', async () => {
    const { code, stdout } = await runWithToken('teams', 'list')
    expect([code, JSON.parse(stdout).error.message]).toEqual([1, expect.stringContaining('127.0.0.1:1')])
  })

  it('prints how it is used', async () => {
    const { code, stdout } = await run('keys', 'revoke')
    expect([code, JSON.parse(stdout)]).toEqual([
      2,
      { error: { code: 'usage', message: "missing required argument 'id'" } },
    ])
    expect((await run('keys', 'revoke', '--help')).stdout).toMatch(/^Usage:/)
  })

  it('prints the problems of a workspace, once', async () => {
    mkdirSync(join(folder, 'acme/policies'), { recursive: true })
    writeFileSync(join(folder, 'acme/signalbox.yaml'), 'name: acme\n')
    writeFileSync(join(folder, 'acme/policies/bad.policy.json'), '{ "kind": "constraint", "id": "bad" }\n')
    for (const verb of ['test', 'check']) {
      const { code, stdout } = await run(verb, join(folder, 'acme'))
      const document = JSON.parse(stdout)
      expect([verb, code, (document.error ?? document).problems[0]]).toMatchObject([
        verb,
        1,
        { file: 'policies/bad.policy.json', line: 1 },
      ])
    }
  })
})
