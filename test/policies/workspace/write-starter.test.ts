import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadWorkspaceFolder } from '../../../policies/workspace/load-folder.ts'
import { writeStarter } from '../../../policies/workspace/write-starter.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-starter-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('writeStarter', () => {
  it('writes the whole workspace under the given name into a new folder', async () => {
    const files = await writeStarter(join(folder, 'deep/acme'), { name: 'acme' })
    expect(files).toContain('signalbox.yaml')
    expect(files).toContain('.github/workflows/signalbox.yml')
    expect(files).toContain('policies/canary.policy.ts')
    expect(readFileSync(join(folder, 'deep/acme/signalbox.yaml'), 'utf8')).toMatch(/^name: acme$/m)
    const loaded = await loadWorkspaceFolder(join(folder, 'deep/acme'))
    expect([...loaded.keys()].every((path) => files.includes(path))).toBe(true)
  })

  it('takes an empty folder, and one with only a repository in it', async () => {
    mkdirSync(join(folder, '.git'))
    expect(await writeStarter(folder, { name: 'acme' })).toContain('signalbox.yaml')
  })

  it('never overwrites', async () => {
    writeFileSync(join(folder, 'README.md'), 'mine')
    await expect(writeStarter(folder, { name: 'acme' })).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('is not empty: it has README.md'),
    })
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('mine')
  })

  it('refuses what is no name', async () => {
    await expect(writeStarter(folder, { name: 'My Team' })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
