const replacement = 0xfffd

/** The bytes of a code point in UTF-8, a character each. */
function encode(code: number): string {
  if (code < 0x80) return String.fromCharCode(code)
  const last = 0x80 | (code & 0x3f)
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), last)
  const middle = 0x80 | ((code >> 6) & 0x3f)
  if (code < 0x10000) return String.fromCharCode(0xe0 | (code >> 12), middle, last)
  return String.fromCharCode(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), middle, last)
}

/** UTF-8 of a text, a character per byte. The sandbox has no TextEncoder; a lone surrogate becomes U+FFFD, as there. */
function utf8(text: string): string {
  let bytes = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? replacement
    bytes += encode(code >= 0xd800 && code <= 0xdfff ? replacement : code)
  }
  return bytes
}

/**
 * MurmurHash3 x86 32-bit, seed 0, over characters as bytes; -1 where one of them is above `max`. It runs in nearly
 * every canary's calls, inside an interpreter: hence one flat loop.
 */
function hashOf(bytes: string, max: number): number {
  const { length } = bytes
  const whole = length & ~3
  const { imul } = Math
  let hash = 0
  let block = 0
  let wide = 0
  for (let at = 0; at < whole; at += 4) {
    const first = bytes.charCodeAt(at)
    const second = bytes.charCodeAt(at + 1)
    const third = bytes.charCodeAt(at + 2)
    const fourth = bytes.charCodeAt(at + 3)
    wide |= first | second | third | fourth
    block = imul(first | (second << 8) | (third << 16) | (fourth << 24), 0xcc9e2d51)
    hash ^= imul((block << 15) | (block >>> 17), 0x1b873593)
    hash = (imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  block = 0
  for (let at = length - 1; at >= whole; at--) {
    const last = bytes.charCodeAt(at)
    wide |= last
    block = (block << 8) | last
  }
  if (wide > max) return -1
  block = Math.imul(block, 0xcc9e2d51)
  // Without a rest the block is zero, and mixes to nothing.
  hash ^= Math.imul((block << 15) | (block >>> 17), 0x1b873593)
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** MurmurHash3 x86 32-bit, seed 0, over the UTF-8 of a text; plain ASCII, as almost every key is, is its own UTF-8. */
export function murmur3(text: string): number {
  const hash = hashOf(text, 0x7f)
  return hash === -1 ? hashOf(utf8(text), 0xff) : hash
}

/** Position of a key in a rollout, 0 to 999,999. The product stays below 2^53, so it is exact. */
export function bucketOf(rollout: string, stickyKey: string): number {
  return Math.floor((murmur3(`${rollout}\u0000${stickyKey}`) * 1_000_000) / 4_294_967_296)
}

/**
 * Whether the caller is in the first `ppm` parts per million of a rollout. The same caller always gives the same
 * answer; a larger share only adds callers; different rollouts are independent. Without a sticky key: false.
 */
export function inBucket(
  f: { readonly subject: { readonly stickyKey?: string } },
  options: { readonly rollout: string; readonly ppm: number },
): boolean {
  const key = f.subject.stickyKey
  return key !== undefined && bucketOf(options.rollout, key) < options.ppm
}
