import { limitUnits } from '@signalbox/sdk/contract'
import type { AnswerCache } from '../cache/answer-cache.ts'
import type { Limits } from '../limits/limits.ts'
import type { RedisLink } from '../redis/redis-link.ts'
import { labels, metricNames } from './metric-names.ts'
import type { MetricRegistry } from './metric-registry.ts'

export interface LimitSources {
  readonly limits: Limits
  readonly answers: AnswerCache
  readonly sharedStore: RedisLink | undefined
}

/** Puts limits, cache and the store that gateways share among the metrics. */
export function observeLimits(
  registry: MetricRegistry,
  { limits, answers, sharedStore }: LimitSources,
): void {
  const gauge = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'gauge', observe })
  const counter = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'counter', observe })
  registry.observe({
    head: { name: metricNames.limitRefusals, description: 'Calls that a limit refused.', unit: '{call}' },
    kind: 'counter',
    observe: () =>
      limitUnits.map((unit) => ({
        value: limits.counts.refused[unit],
        attributes: { [labels.limitUnit]: unit },
      })),
  })
  counter(metricNames.limitShadowRefusals, 'What shadow limits would have refused.', '{call}', () => {
    return limits.counts.wouldRefuse
  })
  gauge(metricNames.limitCounters, 'Counters of limits in memory.', '{counter}', () => limits.size)
  const { counts } = answers
  counter(metricNames.cacheHits, 'Calls that the cache answered.', '{call}', () => counts.hits)
  counter(metricNames.cacheMisses, 'Calls that it could not answer.', '{call}', () => counts.misses)
  counter(metricNames.cacheStored, 'Answers that were kept.', '{answer}', () => counts.stored)
  counter(metricNames.cacheCoalesced, 'Hits that waited for a call like them.', '{call}', () => {
    return counts.coalesced
  })
  counter(
    metricNames.cacheSimilar,
    'Hits by meaning: the answer was given to another question.',
    '{call}',
    () => {
      return counts.similar
    },
  )
  counter(metricNames.cacheSaved, 'What the answers from the cache would have cost.', '{USD}', () => {
    return Number(counts.savedNanoUsd) / 1e9
  })
  gauge(metricNames.cacheBytes, 'Answers in memory, in bytes.', 'By', () => answers.memory.bytes)
  if (sharedStore === undefined) return
  gauge(metricNames.sharedStoreUp, 'Redis or Valkey answers.', '1', () => Number(sharedStore.isUp))
  counter(metricNames.sharedStoreFailures, 'Commands that it did not answer.', '{command}', () => {
    return sharedStore.status().failures
  })
}
