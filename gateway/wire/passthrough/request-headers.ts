import type { IncomingHttpHeaders } from 'node:http'

/**
 * Headers of a request that end here: of the connection (RFC 9110 §7.6.1), all that could be a key or name the caller,
 * what is framed anew, and where the request came from.
 */
const blocked = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'content-length',
  'accept-encoding',
  'forwarded',
  'via',
  'origin',
  'referer',
  'x-real-ip',
  // Which of the operator's accounts pays is not the caller's choice.
  'openai-organization',
  'openai-project',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
])
const blockedPrefixes = [
  'x-signalbox-',
  'x-forwarded-',
  'sec-',
  'proxy-',
  'cf-',
  'x-amz-security',
  'x-goog-iam',
]
const valueLengthMax = 8192

/** The headers that go on to the upstream of a passthrough; names are lower-case. */
export function passedRequestHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const listed = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  )
  const passed: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || blocked.has(name) || listed.has(name)) continue
    if (blockedPrefixes.some((prefix) => name.startsWith(prefix))) continue
    const text = Array.isArray(value) ? value.join(', ') : value
    if (text.length <= valueLengthMax) passed[name] = text
  }
  return passed
}
