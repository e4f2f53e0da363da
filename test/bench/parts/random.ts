/** Numbers in [0, 1) that a seed gives again. Not for secrets. */
export function createRandom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
