import { expect, test } from 'vitest'
import { createSecretBox, SecretBoxError } from '../../control-plane/secret-box.ts'

const oldKey = 'an old secret key, long enough to be taken'
const newKey = 'a new secret key, just as long as the old one'

test('opens what it sealed, each time with another text', () => {
  const box = createSecretBox(oldKey)
  const sealed = box.encrypt('sk-live-ä', 'connection a')
  expect(box.decrypt(sealed, 'connection a')).toBe('sk-live-ä')
  expect(sealed).not.toContain('sk-live')
  expect(box.encrypt('sk-live-ä', 'connection a')).not.toBe(sealed)
})

test('does not open for another use than it was sealed for', () => {
  const box = createSecretBox(oldKey)
  const sealed = box.encrypt('secret', 'connection a')
  expect(() => box.decrypt(sealed, 'connection b')).toThrow(SecretBoxError)
})

test('does not open when any byte was changed', () => {
  const box = createSecretBox(oldKey)
  const [form, id, text = ''] = box.encrypt('secret', 'a').split('.')
  const bytes = Buffer.from(text, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => box.decrypt(`${form}.${id}.${changed.toString('base64url')}`, 'a')).toThrow(SecretBoxError)
  }
})

test('a new key in front seals, the old one behind it still opens what it sealed', () => {
  const sealedBefore = createSecretBox(oldKey).encrypt('secret', 'a')
  const both = createSecretBox(`${newKey}, ${oldKey}`)
  expect(both.decrypt(sealedBefore, 'a')).toBe('secret')
  expect(createSecretBox(newKey).decrypt(both.encrypt('secret', 'a'), 'a')).toBe('secret')
})

test('a lost key is said to be missing, without a secret in the message', () => {
  const sealed = createSecretBox(oldKey).encrypt('secret', 'a')
  const open = () => createSecretBox(newKey).decrypt(sealed, 'a')
  expect(open).toThrow(/needs a SIGNALBOX_SECRET_KEY that is not there/)
  expect(open).not.toThrow(/old|new secret/)
})

test('text of no known form is refused', () => {
  expect(() => createSecretBox(oldKey).decrypt('secret', 'a')).toThrow('no known form')
})
