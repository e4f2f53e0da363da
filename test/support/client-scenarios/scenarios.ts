/** Where a suite is run: straight at the simulator, or through Signalbox. */
export interface ClientTarget {
  readonly url: string
  readonly key: string
}
/** What a client made of each scenario, as it gave it to its user. */
export type ScenarioResults = Readonly<Record<string, unknown>>

/** A red pixel: the smallest image that is one. */
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
export const ask = {
  plain: 'Hello',
  tool: 'What is the weather in York?',
  output: 'Give me the report',
  image: 'What is in this picture?',
  thinking: 'Think about six times seven',
  error: 'Please fail',
} as const
export const weatherSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const
export const reportSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const

/** All parts of a stream. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const parts: T[] = []
  for await (const part of stream) parts.push(part)
  return parts
}

/** What an error tells its catcher. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { answered: await promise }
  } catch (error) {
    const { name, message, status, statusCode, code, type, param } = Object(error) as Record<string, unknown>
    return { name, message, status, statusCode, code, type, param }
  }
}

/** Members that are another in each answer of the provider itself: ids that it makes up, and the time. */
const varying = new Set([
  ...['id', 'item_id', 'responseId', 'created', 'created_at', 'completed_at', 'timestamp', 'itemId'],
  ...['_request_id', 'request_id', 'system_fingerprint', 'headers', 'date', 'obfuscation', 'sdkHttpResponse'],
  ...['sdk_http_response', 'response_id'],
])

/** A result without what varies by itself; ids are kept as what they are. */
export function withoutVarying(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVarying)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [
    name,
    varying.has(name) ? typeof member : withoutVarying(member),
  ])
  return Object.fromEntries(members)
}
