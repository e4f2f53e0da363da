/** Bits of Shannon entropy per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

const placeholder =
  /example|sample|placeholder|dummy|your|changeme|redacted|x{4}|\*{3}|\.{3}|0{6}|1234567890|abcdefgh|deadbeef|foobar|insert|replace/i

/** Whether a value stands for a secret in a guide, and is none. */
export const isPlaceholder = (value: string): boolean => placeholder.test(value) || /^(.)\1*$/.test(value)

// A random text of 20 base-62 characters has some 4 bits each, of 32 hex digits some 3.6; names and words have less.
const randomBitsMin = 3

/** Whether a part of a key looks drawn, not written. */
export const isRandom = (value: string): boolean => entropyOf(value) >= randomBitsMin && !isPlaceholder(value)

/** Whether a text is made of words and small numbers: `my-app-secret-v1`, `config.auth.token`. */
export const isMadeOfWords = (value: string): boolean =>
  value
    .split(/[-_./:]/)
    .every((part) => /^(?:[A-Za-z]?[a-z]*|[A-Z]*|[a-z]+(?:[A-Z][a-z]+)*)\d{0,4}$/.test(part))
