import type { HealthBoard } from '../health/health-board.ts'
import { metricNames } from './metric-names.ts'
import type { MetricRegistry } from './metric-registry.ts'

/** Puts breakers among the metrics. */
export function observeHealth(registry: MetricRegistry, health: HealthBoard): void {
  registry.observe({
    head: {
      name: metricNames.targetsKept,
      description: 'Targets that get no calls, or only a part of them.',
      unit: '{target}',
    },
    kind: 'gauge',
    observe: () => health.troubled.size,
  })
  registry.observe({
    head: { name: metricNames.breakersOpened, description: 'Times a breaker opened.', unit: '{breaker}' },
    kind: 'counter',
    observe: () => health.opened,
  })
}
