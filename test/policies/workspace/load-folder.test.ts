import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadWorkspaceFolder } from '../../../policies/workspace/load-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-load-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(path: string, content: string | Uint8Array = ''): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content)
}
const load = () => loadWorkspaceFolder(join(folder, 'acme'))
const refusal = async (): Promise<{ code: string; message: string }> =>
  load().then(
    () => ({ code: 'none', message: '' }),
    (error) => ({ code: error.code, message: error.message }),
  )

describe('loadWorkspaceFolder', () => {
  it('reads the files of a workspace, sorted, and nothing else', async () => {
    write('acme/signalbox.yaml', 'name: acme\n')
    write('acme/policies/b.policy.ts', 'b')
    write('acme/policies/a/a.policy.json', '{}')
    write('acme/guardrails/g.guardrail.json', '{}')
    write('acme/prompts/p.prompt.md', 'Grüße')
    write('acme/tests/p.cases.yml', '')
    write('acme/tests/__snapshots__/p.yaml', '')
    write('acme/fixtures/base.facts.json', '{}')
    write('acme/README.md', 'not of the workspace')
    write('acme/package.json', '{}')
    write('acme/policies/notes.txt', 'not read')
    write('acme/policies/node_modules/x/index.ts', 'not read')
    write('acme/policies/.hidden/x.policy.ts', 'not read')
    const files = await load()
    expect([...files.keys()]).toEqual([
      'fixtures/base.facts.json',
      'guardrails/g.guardrail.json',
      'policies/a/a.policy.json',
      'policies/b.policy.ts',
      'prompts/p.prompt.md',
      'signalbox.yaml',
      'tests/__snapshots__/p.yaml',
      'tests/p.cases.yml',
    ])
    expect(files.get('prompts/p.prompt.md')).toBe('Grüße')
  })

  it('says what it expected where there is no workspace', async () => {
    expect(await refusal()).toEqual({
      code: 'check_failed',
      message: expect.stringMatching(/expected a folder/),
    })
    write('acme/other.yaml')
    expect((await refusal()).message).toMatch(
      /^signalbox\.yaml: expected this file in .*acme: .*signalbox init/,
    )
    write('acme/signalbox.yml')
    expect((await refusal()).message).toMatch(/rename signalbox\.yml/)
  })

  it('refuses a policy that it would not read, so that nothing is left out silently', async () => {
    write('acme/signalbox.yaml')
    write('acme/policies/guard.policy.js')
    expect((await refusal()).message).toBe(
      'policies/guard.policy.js: expected a name that ends in .ts, .json, .yaml, .yml or .md',
    )
  })

  it('follows links in the workspace and none that leads out of it', async () => {
    write('acme/signalbox.yaml')
    write('acme/policies/a.policy.ts', 'a')
    symlinkSync('a.policy.ts', join(folder, 'acme/policies/b.policy.ts'))
    expect((await load()).get('policies/b.policy.ts')).toBe('a')
    write('secret.json', '{}')
    symlinkSync('../../secret.json', join(folder, 'acme/policies/c.policy.json'))
    expect((await refusal()).message).toMatch(/^policies\/c\.policy\.json: is a link to a place outside/)
  })

  it('ends on links that go in a circle and on links to nothing', async () => {
    write('acme/signalbox.yaml')
    mkdirSync(join(folder, 'acme/policies'))
    symlinkSync('.', join(folder, 'acme/policies/again'))
    expect((await refusal()).message).toMatch(/at most 16 deep/)
    rmSync(join(folder, 'acme/policies/again'))
    symlinkSync('gone.ts', join(folder, 'acme/policies/x.policy.ts'))
    expect((await refusal()).message).toBe('policies/x.policy.ts: is a link to nothing')
  })

  it('refuses text that is not UTF-8', async () => {
    write('acme/signalbox.yaml', new Uint8Array([0x6e, 0xff, 0xfe]))
    expect((await refusal()).message).toBe('signalbox.yaml: is not UTF-8 text')
  })

  it('takes 4 MiB and refuses one byte more', async () => {
    write('acme/signalbox.yaml', 'name: acme\n')
    write('acme/fixtures/large.facts.json', 'x'.repeat(4 * 1024 * 1024 - 11))
    expect((await load()).size).toBe(2)
    write('acme/fixtures/one.facts.json', 'x')
    expect(await refusal()).toEqual({
      code: 'request_too_large',
      message: 'the workspace has 4194305 bytes; at most 4194304 are taken',
    })
  })
})
