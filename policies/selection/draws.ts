/** Spreads the bits of two 32-bit numbers over one (the finalizer of MurmurHash3). The same on every machine. */
export function mix(one: number, other: number): number {
  let hash = (one ^ Math.imul(other, 0x9e3779b1)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A 32-bit number for a text (FNV-1a over its UTF-16 units). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix(hash >>> 0, text.length)
}

/** A whole number from 0 up to, not including, `below`. */
export function drawBelow(below: number, hash: number): number {
  return Math.floor((hash / 2 ** 32) * below)
}

/**
 * Indexes of the weights in the order in which they are drawn, each once, by their weight; those without weight come
 * last, in their own order. Where none has weight all have the same.
 */
export function drawOrder(weights: readonly number[], seed: number): number[] {
  const left = weights.map((weight, index) => ({ weight, index }))
  const order: number[] = []
  for (let round = 0; left.length > 0; round++) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    if (total === 0 && order.length > 0) break
    const even = total === 0
    let rest = drawBelow(even ? left.length : total, mix(seed, round))
    const at = left.findIndex(({ weight }) => {
      rest -= even ? 1 : weight
      return rest < 0
    })
    const [drawn] = left.splice(Math.max(0, at), 1)
    if (drawn !== undefined) order.push(drawn.index)
  }
  return [...order, ...left.map(({ index }) => index)]
}

/** Indexes of names, the one that fits a key best first (rendezvous hashing): without it only its keys move on. */
export function orderFor(key: number, names: readonly string[]): number[] {
  const scores = names.map((name, index) => ({ index, score: mix(key, hashText(name)) }))
  return scores.sort((a, b) => b.score - a.score || a.index - b.index).map(({ index }) => index)
}
