import { EventStreamCodec } from '@smithy/eventstream-codec'

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
)

/** Lines of `{ "event": NAME, "payload": … }` as the bytes of an AWS event stream. */
export function eventStreamBytes(lines: string): Buffer {
  const messages = lines
    .trim()
    .split('\n')
    .map((line): { event: string; payload: unknown } => JSON.parse(line))
    .map(({ event, payload }) => {
      const isError = event.endsWith('Exception')
      const headers = {
        [isError ? ':exception-type' : ':event-type']: { type: 'string', value: event },
        ':content-type': { type: 'string', value: 'application/json' },
        ':message-type': { type: 'string', value: isError ? 'exception' : 'event' },
      } as const
      return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(payload)) }))
    })
  return Buffer.concat(messages)
}
