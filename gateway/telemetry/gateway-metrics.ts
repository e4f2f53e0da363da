import { documentKinds } from '@signalbox/sdk/contract'
import type { DocumentStatus } from '../documents/documents.ts'
import type { JournalStatus } from '../journal/journal.ts'
import { labels, metricNames } from './metric-names.ts'
import type { MetricRegistry } from './metric-registry.ts'
import type { SpanQueue } from './span-queue.ts'

/** Whom to ask when metrics are read. */
export interface GatewaySources {
  readonly documents: () => DocumentStatus
  readonly isReady: () => boolean
  readonly journal: () => JournalStatus
  readonly running: () => { readonly calls: number; readonly streams: number }
  readonly spans: SpanQueue | undefined
  readonly unhandledErrors: () => number
}

/** Puts the gateway's own state among the metrics. */
export function observeGateway(registry: MetricRegistry, sources: GatewaySources): void {
  const gauge = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'gauge', observe })
  const counter = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'counter', observe })
  const { documents, journal, spans } = sources

  gauge(metricNames.callsInFlight, 'Calls that are under way.', '{call}', () => sources.running().calls)
  gauge(
    metricNames.streamsInFlight,
    'Answers that are streaming.',
    '{stream}',
    () => sources.running().streams,
  )
  gauge(metricNames.ready, 'Calls can be served.', '1', () => Number(sources.isReady()))
  gauge(metricNames.degraded, 'The state is older than it should be.', '1', () =>
    Number(documents().degraded),
  )
  gauge(metricNames.connected, 'The control plane is there.', '1', () => Number(documents().connected))
  gauge(metricNames.stateAge, 'Since the state was last confirmed.', 's', () => documents().stateAgeMs / 1000)
  registry.observe({
    head: { name: metricNames.documentSequence, description: 'Sequence in use; 0 for none.', unit: '1' },
    kind: 'gauge',
    observe: () => {
      const { sequences } = documents()
      return documentKinds.map((kind) => ({
        value: sequences[kind],
        attributes: { [labels.documentKind]: kind },
      }))
    },
  })
  counter(
    metricNames.documentRejections,
    'Documents that were not taken.',
    '{document}',
    () => documents().rejections,
  )

  gauge(metricNames.journalBytes, 'Records that are not sent, in bytes.', 'By', () => journal().bytes)
  gauge(metricNames.journalSegments, 'Segments that are not sent.', '{segment}', () => journal().segments)
  counter(
    metricNames.journalRecords,
    'Records that were journalled.',
    '{record}',
    () => journal().recordedRecords,
  )
  counter(metricNames.journalUploaded, 'Records that were sent.', '{record}', () => journal().uploadedRecords)
  counter(metricNames.journalLost, 'Records that are lost: gaps.', '{record}', () => journal().lostRecords)
  counter(metricNames.journalFailures, 'Uploads that failed.', '{upload}', () => journal().uploadFailures)
  counter(
    metricNames.journalRestarts,
    'Deaths of the journal thread.',
    '{thread}',
    () => journal().threadRestarts,
  )

  counter(metricNames.spansDropped, 'Spans that were not exported.', '{span}', () => spans?.dropped ?? 0)
  counter(metricNames.spansExported, 'Spans that were exported.', '{span}', () => spans?.exported ?? 0)
  counter(metricNames.unhandledErrors, 'Errors that nobody caught: bugs.', '{error}', sources.unhandledErrors)
}
