import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { createSealKeyPair, seal } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadGatewayKey } from '../../../gateway/credentials/gateway-key.ts'
import { resolveCredential } from '../../../gateway/credentials/resolve-credential.ts'
import { openCredentials, Secrets } from '../../../gateway/credentials/sealed-credentials.ts'
import { environment, organisationId } from '../../support/signed-documents.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-credentials-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the key of a gateway', () => {
  it('is made once, readable by its owner alone, and stays', async () => {
    const made = await loadGatewayKey(folder, undefined)
    const path = join(folder, 'gateway.key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await loadGatewayKey(folder, undefined)).toEqual(made)
    chmodSync(path, 0o644)
    await loadGatewayKey(folder, undefined)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('may be given, and then nothing is kept', async () => {
    const pair = await createSealKeyPair()
    expect(await loadGatewayKey(folder, pair.privateKey)).toEqual(pair)
    expect(() => statSync(join(folder, 'gateway.key'))).toThrow()
  })

  it('is refused where it is no key, without being shown', async () => {
    writeFileSync(join(folder, 'gateway.key'), 'c2VjcmV0\n')
    const error = await loadGatewayKey(folder, undefined).catch((each: Error) => each)
    expect(String(error)).toContain('does not hold an X25519 private key')
    expect(inspect(error)).not.toContain('c2VjcmV0')
  })
})

describe('sealed credentials', () => {
  const expectation = { organisationId, environment }
  async function sealed(change: object = {}, opened: unknown = { 'anthropic-prod': 'top secret' }) {
    const pair = await createSealKeyPair()
    const box = await seal(pair.publicKey, JSON.stringify(opened))
    const document = {
      type: 'credentials/1',
      organisationId,
      environment,
      sequence: 3,
      recipient: pair.publicKey,
      ...box,
      ...change,
    }
    return { pair, text: JSON.stringify(document) }
  }

  it('open with the gateway’s key, and only there', async () => {
    const { pair, text } = await sealed()
    const { head, secrets } = await openCredentials(text, pair, expectation)
    expect(head.document.sequence).toBe(3)
    expect(secrets.get('anthropic-prod')).toBe('top secret')
    const other = await createSealKeyPair()
    await expect(openCredentials(text, other, expectation)).rejects.toThrow('sealed to another key')
    await expect(openCredentials(text, { ...other, publicKey: pair.publicKey }, expectation)).rejects.toThrow(
      'cannot be opened',
    )
  })

  it('are refused where they were changed, are for another environment or do not hold texts', async () => {
    const changed = await sealed({ sealed: Buffer.alloc(64).toString('base64url') })
    await expect(openCredentials(changed.text, changed.pair, expectation)).rejects.toThrow('cannot be opened')
    const moved = await sealed({ environment: 'production' })
    await expect(openCredentials(moved.text, moved.pair, expectation)).rejects.toThrow('another organisation')
    const odd = await sealed({}, { name: { secret: 'top secret' } })
    const error = await openCredentials(odd.text, odd.pair, expectation).catch((each: Error) => each)
    expect(inspect(error)).toContain('not an object of texts')
    expect(inspect(error)).not.toContain('top secret')
  })

  it('can neither be printed nor serialised', async () => {
    const { pair, text } = await sealed()
    const opened = await openCredentials(text, pair, expectation)
    expect(inspect(opened, { depth: 9, showHidden: true })).not.toContain('top secret')
    expect(JSON.stringify(opened)).not.toContain('top secret')
  })
})

describe('a credential reference', () => {
  const sources = {
    readVariable: (name: string) => (name === 'SET' ? 'v' : undefined),
    secrets: new Secrets(),
  }

  it('reads variables and files, without the white space around them', () => {
    const path = join(folder, 'key')
    writeFileSync(path, '  from a file\n')
    expect(resolveCredential('env:SET', sources)).toEqual({ value: 'v' })
    expect(resolveCredential(`file:${path}`, sources)).toEqual({ value: 'from a file' })
    expect(readFileSync(path, 'utf8')).toBe('  from a file\n')
  })

  it('says what is missing', () => {
    expect(resolveCredential('env:UNSET', sources)).toEqual({ missing: 'UNSET' })
    expect(resolveCredential('file:/nowhere/at/all', sources)).toEqual({ missing: 'file:/nowhere/at/all' })
    expect(resolveCredential('secret:x', sources)).toEqual({ missing: 'secret:x' })
  })
})
