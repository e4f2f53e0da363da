import { Failure } from './context.ts'
import { parseDuration } from './duration.ts'

export interface RampStep {
  readonly ppm: number
  readonly minMs: number
  readonly minCalls: number
}
const million = 1_000_000
const callsDefault = 300

/** Parts per million of `5%`, `0.5%`. @throws Failure. */
export function parseShare(text: string): number {
  const percent = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text)?.[1]
  const ppm = percent === undefined ? 0 : Math.round(Number(percent) * 10_000)
  if (ppm < 1 || ppm > million) throw new Failure(`"${text}" is no share like 5% or 0.5%`, 'usage')
  return ppm
}

/**
 * A plan like `5%@30m,25%@2h/1000,100%`: share, how long at least, and after a slash how many calls of the candidate at
 * least (300 if left out). The last step has no time.
 * @throws Failure that names the step.
 */
export function parseRamp(text: string): RampStep[] {
  return text.split(',').map((step) => {
    const [, share = '', time = '0', calls] =
      /^([^@/]+)(?:@([^@/]+))?(?:\/(\d{1,9}))?$/.exec(step.trim()) ?? []
    if (share === '') throw new Failure(`"${step}" is no step like 5%@30m or 25%@2h/1000`, 'usage')
    const minCalls = calls === undefined ? callsDefault : Number(calls)
    return { ppm: parseShare(share), minMs: parseDuration(time), minCalls }
  })
}
