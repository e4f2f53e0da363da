import type { Documents } from '../documents/documents.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Journal } from '../journal/journal.ts'
import type { Money } from '../money/money.ts'
import type { OpenShared } from '../redis/open-shared.ts'
import type { GatewayServer } from '../server.ts'
import { type GatewaySources, observeGateway } from './gateway-metrics.ts'
import { observeHealth } from './health-metrics.ts'
import { observeLimits } from './limit-metrics.ts'
import { observeMoney } from './money-metrics.ts'
import type { RunningTelemetry } from './start-telemetry.ts'

interface Observed extends Pick<GatewaySources, 'unhandledErrors'> {
  readonly documents: Documents
  readonly journal: Journal
  readonly server: GatewayServer
  readonly money: Money
  readonly health: HealthBoard
  readonly shared: OpenShared
}

/** Puts everything that a gateway measures of itself on its registry. */
export function observeAll({ registry, spans }: RunningTelemetry, observed: Observed): void {
  const { documents, journal, server, money, health, shared, unhandledErrors } = observed
  observeGateway(registry, {
    documents: () => documents.status(),
    isReady: () => documents.missing().length === 0,
    journal: () => journal.status(),
    running: () => server.running(),
    spans,
    unhandledErrors,
  })
  observeMoney(registry, money)
  observeHealth(registry, health)
  observeLimits(registry, shared)
}
