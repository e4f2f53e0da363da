import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { metricNames } from './metric-names.ts'
import type { MetricRegistry } from './metric-registry.ts'

/** How often the event loop is asked whether it is late, and over how long its worst answers are kept. */
const lagResolutionMs = 20
const lagWindowMs = 10_000

/** Watches the process: how late its event loop is, how busy, how large. */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: lagResolutionMs })
  readonly #window: NodeJS.Timeout
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()
  #busy = 0
  #lagSeconds = 0
  #lagSecondsMax = 0

  constructor(registry: MetricRegistry) {
    this.#delay.enable()
    this.#window = setInterval(() => this.#turn(), lagWindowMs)
    this.#window.unref()
    registry.observe({
      head: {
        name: metricNames.eventLoopLag,
        description: 'Lateness of the event loop in ten seconds.',
        unit: 's',
      },
      kind: 'gauge',
      observe: () => [
        { value: this.#lagSeconds, attributes: { quantile: '0.99' } },
        { value: this.#lagSecondsMax, attributes: { quantile: '1' } },
      ],
    })
    registry.observe({
      head: {
        name: metricNames.eventLoopUtilization,
        description: 'Share of time the event loop was busy.',
        unit: '1',
      },
      kind: 'gauge',
      observe: () => this.#busy,
    })
    registry.observe({
      head: { name: metricNames.memory, description: 'Resident memory.', unit: 'By' },
      kind: 'gauge',
      observe: () => process.memoryUsage.rss(),
    })
    registry.observe({
      head: { name: metricNames.cpu, description: 'CPU time of the process.', unit: 's' },
      kind: 'counter',
      observe: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      },
    })
  }

  #turn(): void {
    // The monitor counts its own interval in.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - lagResolutionMs / 1000)
    this.#lagSeconds = late(this.#delay.percentile(99))
    this.#lagSecondsMax = late(this.#delay.max)
    this.#delay.reset()
    const now = performance.eventLoopUtilization()
    this.#busy = performance.eventLoopUtilization(now, this.#utilization).utilization
    this.#utilization = now
  }

  close(): void {
    clearInterval(this.#window)
    this.#delay.disable()
  }
}
