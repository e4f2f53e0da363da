import { type BatchKind, Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import type { GatewayParts } from '../parts.ts'
import type { Snapshot } from '../snapshot.ts'
import { decode } from '../steps/decode.ts'
import { isObjectAt, type JsonItem, scanArray, scanObject } from '../wire/json-scan.ts'
import { asObject, asString, type JsonObject } from '../wire/json-value.ts'
import { askConnection } from './ask-connection.ts'
import { linesOf } from './lines-of.ts'

/** A line of a batch that is about to be made: a call of its own. */
export interface BatchLine {
  /** As callers find it: `line 12`, `requests[11]`. */
  readonly place: string
  readonly call: Call
  /** Where its body stands in the request that makes the batch; undefined where that is no part of it. */
  readonly span: JsonItem | undefined
}
/** A batch that is about to be made. */
export interface AskedBatch {
  readonly kind: BatchKind
  readonly call: Call
  readonly connection: string
}

/** OpenAI takes 50,000 lines in 200 MB, Anthropic 100,000 requests; sources: their guides on batches. */
const linesMax = 100_000
const noHeaders = {}
const anthropicEndpoint = '/v1/messages'

/** The path of the operation that all lines of a batch are. */
export function endpointOf({ kind, call }: AskedBatch): string {
  return kind === 'anthropic' ? anthropicEndpoint : (asString(call.json.endpoint) ?? '')
}

/** The dialect and operation behind an endpoint; undefined where no call can be made there. */
export function routeOf(
  endpoint: string,
  dialects: GatewayParts['dialects'],
): { readonly dialect: Dialect; readonly operation: Call['operation'] } | undefined {
  for (const dialect of dialects.values()) {
    const route = dialect.routes.find(({ method, path }) => method === 'post' && path === endpoint)
    if (route === undefined || route.operation === 'files' || route.operation === 'batches') continue
    return { dialect, operation: route.operation }
  }
  return undefined
}

/** A refusal of one line, as one of the whole batch: nothing of it was sent. */
export function refusalAt(place: string, error: unknown, param: string): unknown {
  if (!(error instanceof Refusal)) return error
  return new Refusal(error.code, {
    message: `In ${place}: ${error.message}`,
    status: error.status,
    param,
    ...(error.detail !== undefined && { detail: error.detail }),
    ...(error.policyCode !== undefined && { policyCode: error.policyCode }),
  })
}

const wrong = (message: string, param: string): Refusal => new Refusal('invalid_request', { message, param })

/**
 * Every line of a new batch, read once: of a file at its provider while it comes, of requests where they stand.
 * @throws Refusal `invalid_request` for a line that is no call, `upstream_unavailable` where the file cannot be read.
 */
export async function* linesOfBatch(
  asked: AskedBatch,
  snapshot: Snapshot,
  parts: GatewayParts,
): AsyncGenerator<BatchLine, void, void> {
  const endpoint = endpointOf(asked)
  const route = routeOf(endpoint, parts.dialects)
  if (route === undefined) {
    throw wrong(`Batches of "${endpoint.slice(0, 80)}" are not known here.`, 'endpoint')
  }
  const head = { method: 'POST', url: endpoint, headers: noHeaders }
  const bodies = asked.kind === 'anthropic' ? requestsOf(asked) : fileOf(asked, endpoint, { snapshot, parts })
  let count = 0
  for await (const { place, param, body, span } of bodies) {
    if (++count > linesMax) throw wrong(`A batch has at most ${linesMax} lines.`, param)
    yield { place, call: readAt(place, param, () => decode(body, route.dialect, route, head)), span }
  }
  if (count === 0) throw wrong('A batch has at least one line.', asked.call.native?.job?.input ?? 'requests')
}

function readAt(place: string, param: string, read: () => Call): Call {
  try {
    return read()
  } catch (error) {
    throw refusalAt(place, error, param)
  }
}

interface LineBody {
  readonly place: string
  readonly param: string
  /** The call's own body, as it stands in the batch. */
  readonly body: Buffer
  /** Where it stands in the request; undefined where that is no part of it. */
  readonly span?: JsonItem
}

const twice = (place: string, param: string): Refusal =>
  wrong(`In ${place}: a member stands twice, and nobody knows which one counts.`, param)

/** The members of an object, each once. */
function membersOf(bytes: Buffer, from: number, { place, param }: Pick<LineBody, 'place' | 'param'>) {
  const { members } = scanObject(bytes, from)
  const byName = new Map(members.map((member) => [member.name, member]))
  if (byName.size !== members.length) throw twice(place, param)
  return byName
}

function* requestsOf({ call: { raw } }: AskedBatch): Generator<LineBody, void, void> {
  const at = membersOf(raw, 0, { place: 'the request', param: 'requests' }).get('requests')?.valueStart ?? 0
  for (const [index, { start }] of scanArray(raw, at).items.entries()) {
    const where = { place: `requests[${index}]`, param: `requests[${index}].params` }
    const params = isObjectAt(raw, start) ? membersOf(raw, start, where).get('params') : undefined
    if (params === undefined || !isObjectAt(raw, params.valueStart)) {
      throw wrong(`\`${where.param}\` must be an object.`, where.param)
    }
    membersOf(raw, params.valueStart, where)
    const span = { start: params.valueStart, end: params.valueEnd }
    yield { ...where, span, body: raw.subarray(span.start, span.end) }
  }
}

async function* fileOf(
  { call, connection }: AskedBatch,
  endpoint: string,
  { snapshot, parts }: { readonly snapshot: Snapshot; readonly parts: GatewayParts },
): AsyncGenerator<LineBody, void, void> {
  const param = call.native?.job?.input ?? ''
  const path = `/v1/files/${asString(call.json[param]) ?? ''}/content`
  let number = 0
  try {
    const exchange = await askConnection({ connection, collection: 'files', path }, snapshot, parts)
    try {
      if (exchange.status !== 200) throw new Error(`status ${exchange.status}`)
      for await (const line of linesOf(exchange)) {
        const where = { place: `line ${++number}`, param }
        yield { ...where, body: bodyOf(line, where, endpoint) }
      }
    } finally {
      exchange.abort('the input of a batch is read')
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    const message = 'The input of the batch could not be read at its provider.'
    throw new Refusal('upstream_unavailable', { message, detail: String(error), param })
  }
}

function bodyOf(line: Buffer, where: Pick<LineBody, 'place' | 'param'>, endpoint: string): Buffer {
  const { place, param } = where
  let json: JsonObject | undefined
  try {
    json = asObject(JSON.parse(line.toString('utf8')))
  } catch {
    throw wrong(`In ${place}: this is no JSON.`, param)
  }
  if (asString(json?.url) !== endpoint) {
    throw wrong(`In ${place}: \`url\` must be the batch's own endpoint, "${endpoint}".`, param)
  }
  const body = json === undefined ? undefined : membersOf(line, 0, where).get('body')
  if (body === undefined || !isObjectAt(line, body.valueStart)) {
    throw wrong(`In ${place}: \`body\` must be an object.`, param)
  }
  membersOf(line, body.valueStart, where)
  return line.subarray(body.valueStart, body.valueEnd)
}
