import type { EncodeOptions } from '../provider.ts'

/**
 * How many tokens the answer may have: what the decision's patch says, else what the caller asked for, and
 * never more than the cap. Undefined where nobody says anything.
 */
export function limitOutput(
  asked: number | undefined,
  options: Pick<EncodeOptions, 'patch' | 'caps'>,
): number | undefined {
  const wanted = options.patch?.maxOutputTokens ?? asked
  const cap = options.caps.maxOutputTokens
  if (cap === undefined) return wanted
  return wanted === undefined ? cap : Math.min(wanted, cap)
}

export function patchedTemperature(options: Pick<EncodeOptions, 'patch'>): number | undefined {
  const ppm = options.patch?.temperaturePpm
  return ppm === undefined ? undefined : ppm / 1_000_000
}
