import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { claimFolder, FolderInUseError, loadOrStoreSecret } from '../../control-plane/data-folder.ts'
import { isRunning, ownIdentity } from '../../control-plane/process-identity.ts'

const top = mkdtempSync(join(tmpdir(), 'signalbox-folder-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const lockOf = (folder: string) => join(folder, 'owner.lock')

test('makes the folder for its owner alone and takes it', () => {
  const folder = join(top, 'a', 'b')
  const claim = claimFolder(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(() => claimFolder(folder)).toThrow(FolderInUseError)
  expect(() => claimFolder(folder)).toThrow(`in use by another Signalbox (process ${process.pid})`)
  claim.release()
  claimFolder(folder).release()
})

test.each([
  ['a process that is gone', { pid: 2 ** 22 - 1 }],
  ['another process under the same id', { start: '1' }],
  ['a process before the system was started anew', { boot: '00000000-0000-0000-0000-000000000000' }],
])('the lock of %s holds nobody up', (_, changed) => {
  const folder = mkdtempSync(join(top, 'stale-'))
  writeFileSync(lockOf(folder), JSON.stringify({ ...ownIdentity(), nonce: 'old', ...changed }))
  const claim = claimFolder(folder)
  expect(JSON.parse(readFileSync(lockOf(folder), 'utf8'))).toMatchObject({ pid: process.pid })
  claim.release()
})

test('a damaged lock holds nobody up', () => {
  const folder = mkdtempSync(join(top, 'damaged-'))
  writeFileSync(lockOf(folder), '{"pid":')
  claimFolder(folder).release()
})

test('an owner that comes back late does not remove the lock of the next one', () => {
  const folder = mkdtempSync(join(top, 'late-'))
  const first = claimFolder(folder)
  writeFileSync(lockOf(folder), JSON.stringify({ ...ownIdentity(), start: '1', nonce: 'dead' }))
  const second = claimFolder(folder)
  first.release()
  expect(() => claimFolder(folder)).toThrow(FolderInUseError)
  second.release()
})

test('knows its own process and that another of the same id is not it', () => {
  const own = ownIdentity()
  expect(isRunning(own)).toBe(true)
  expect(isRunning({ ...own, start: `${own.start}1` })).toBe(false)
})

test('a generated secret stays the same, readable by its owner alone', () => {
  const file = join(top, 'secret')
  expect(loadOrStoreSecret(file, () => 'first')).toEqual({ text: 'first', made: true })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(loadOrStoreSecret(file, () => 'second')).toEqual({ text: 'first', made: false })
  writeFileSync(file, '')
  expect(loadOrStoreSecret(file, () => 'third')).toEqual({ text: 'third', made: true })
})
