import { type CoverageThresholds, coverageMetrics } from '@signalbox/policies'
import { InvalidArgumentError } from 'commander'

export const testFormats = ['text', 'json', 'sarif', 'github'] as const

export interface TestOptions {
  coverage?: boolean
  min?: CoverageThresholds
  /** A Git reference; `true` for the last commit. */
  changedOnly?: string | true
  env?: string
  mutate?: boolean
  mutateSeconds: number
  fuel?: boolean
  seed?: number
  runs?: number
  update?: boolean
  force?: boolean
  failOnEmpty: boolean
  junit?: string
  format: (typeof testFormats)[number]
  watch?: boolean
  json?: boolean
}

/** `--min 90` or `--min both-outcomes=100`; several add up. */
export function parseThreshold(text: string, before: CoverageThresholds = {}): CoverageThresholds {
  const [, name = 'all', number = ''] = /^(?:([a-z-]+)=)?(\d+)$/.exec(text) ?? []
  const metric = ['all', ...coverageMetrics].find((each) => each === name) as
    | keyof CoverageThresholds
    | undefined
  const percent = Number(number)
  if (number === '' || metric === undefined || percent > 100) {
    throw new InvalidArgumentError(`Expected 0 to 100, or NAME=0 to 100 with ${coverageMetrics.join(', ')}.`)
  }
  return { ...before, [metric]: percent }
}

/** A whole number in a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
    }
    return value
  }
}
