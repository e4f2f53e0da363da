import { availableParallelism, loadavg } from 'node:os'

/** CI shares its machine with others that the load does not show. */
const factorMin = process.env.CI === 'true' ? 3 : 1

/** How many times longer than alone a program may take now: others wait for the same cores. 1 on a quiet machine. */
export function loadFactor(): number {
  return Math.max(factorMin, (loadavg()[0] ?? 0) / availableParallelism())
}
