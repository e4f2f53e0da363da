import { readFileSync, writeFileSync } from 'node:fs'
import { createSigningKey, fits, type SigningKey } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { Failure } from './context.ts'

const KeyFile = Type.Object({ keyId: Type.String(), publicKey: Type.String(), privateKey: Type.String() })

/** The key that a text holds, as `trust key` wrote it. @throws Failure. */
export function parseSigningKey(text: string, where: string): SigningKey {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Said below, without the text: it may be a part of the key.
  }
  if (fits(KeyFile, value)) return value
  throw new Failure(`${where} holds no signing key: expected what \`signalbox trust key\` wrote`)
}

export function loadSigningKey(file: string): SigningKey {
  return parseSigningKey(readFileSync(file, 'utf8'), file)
}

/** Makes a key and writes it to a new file that only its owner reads; its private part goes nowhere else. */
export function writeSigningKey(file: string): SigningKey {
  const key = createSigningKey()
  try {
    writeFileSync(file, `${JSON.stringify(key)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Failure(`${file} is there already; a key is never overwritten`)
  }
  return key
}
