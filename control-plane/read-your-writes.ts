import { describeFailure } from './db/errors.ts'
import type { RequestContext } from './handler.ts'
import { acknowledgementTimeoutMs, type Publication, type StateWriter } from './state-writer.ts'

/**
 * Publishes what a write has changed and waits until the connected gateways run it, so that the caller's next request
 * meets it. Gives the member for the reply: who is pending, or nothing where nobody is.
 *
 * The write itself is committed by now and stands whatever happens here: a failure is logged, the caller is told that
 * the control plane itself is pending, and the next publication carries the change.
 */
export async function publishAndAwait(
  stateWriter: StateWriter,
  context: Pick<RequestContext, 'log' | 'signal'>,
  publish: () => Promise<readonly Publication[]>,
): Promise<{ pending?: string[] }> {
  try {
    const publications = await publish()
    const options = { timeoutMs: acknowledgementTimeoutMs, signal: context.signal }
    const behind = await Promise.all(
      publications.map((publication) => stateWriter.awaitAcks(publication, options)),
    )
    const pending = [...new Set(behind.flat())]
    return pending.length === 0 ? {} : { pending }
  } catch (error) {
    context.log.error({ err: describeFailure(error) }, 'a change is stored but was not published')
    return { pending: ['control-plane'] }
  }
}
