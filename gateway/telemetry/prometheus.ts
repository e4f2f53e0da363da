import type { IncomingMessage, ServerResponse } from 'node:http'
import { collectMetrics } from './metric-data.ts'
import type { MetricRegistry } from './metric-registry.ts'

const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The registry as Prometheus reads it. The library is loaded when somebody asks for the first time. */
async function writeMetrics(registry: MetricRegistry, nowMs: number): Promise<string> {
  const [{ PrometheusSerializer }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/exporter-prometheus'),
    import('@opentelemetry/resources'),
  ])
  const [prefix, timestamps, constantLabels] = [undefined, false, undefined]
  const [withoutTarget, withoutScope] = [true, true]
  const serializer = new PrometheusSerializer(prefix, timestamps, constantLabels, withoutTarget, withoutScope)
  const resource = resourceFromAttributes({})
  return serializer.serialize({ resource, scopeMetrics: [collectMetrics(registry, nowMs)] })
}

/** Answers `GET /metrics`. */
export function createMetricsDoor(
  registry: MetricRegistry,
  nowMs: () => number,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    writeMetrics(registry, nowMs()).then(
      (text) => response.writeHead(200, { 'content-type': contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  }
}
