import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Dialect } from '../../gateway/dialect.ts'
import { loadPlugins } from '../../gateway/load-plugins.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-plugins-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (file: string, text: string): void => writeFileSync(join(folder, file), text)
const load = () => loadPlugins(pathToFileURL(`${folder}/`), 'provider')

describe('plugins', () => {
  it('are the files of their folder', async () => {
    const dialects = await loadPlugins<Dialect>(
      new URL('../../gateway/dialects/', import.meta.url),
      'dialect',
    )
    expect([...dialects.keys()]).toContain('openai-chat')
    for (const [id, dialect] of dialects) expect(dialect.id).toBe(id)
  })

  it('are refused where the id is not the name of the file', async () => {
    write('one.ts', "export const provider = { id: 'two' }\n")
    await expect(load()).rejects.toThrow('one.ts exports the provider "two"')
  })

  it('are refused where the file exports something else', async () => {
    write('one.ts', "export const other = { id: 'one' }\n")
    write('notes.md', 'Not a plugin.\n')
    await expect(load()).rejects.toThrow('one.ts does not export "provider"')
  })
})
