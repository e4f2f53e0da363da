import canonicalize from 'canonicalize'

/** Canonical JSON (RFC 8785): the same value gives the same text. Throws on NaN, infinities and lone surrogates. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('The value has no JSON form.')
  return text
}
