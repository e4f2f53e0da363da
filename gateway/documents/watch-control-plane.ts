import { setTimeout as wait } from 'node:timers/promises'
import type { DocumentKind } from '@signalbox/sdk/contract'
import { spread } from './backoff.ts'
import { ControlPlaneError } from './control-plane-error.ts'
import type { ControlPlaneLink } from './control-plane-link.ts'
import type { DocumentInbox } from './document-inbox.ts'

export interface WatchTimes {
  /** A long poll that comes back sooner than this without news was not held: the polls are spaced out. */
  readonly heldMsMin: number
  /** Between two plain polls. */
  readonly pollMs: number
}

/** In this order, where several wait: whose signatures count, who may call, with what, decided how. */
const urgency: readonly DocumentKind[] = ['root', 'state', 'credentials', 'release']

/** Fetches what is newer than what is in use, all kinds, in order. */
export async function syncAll(inbox: DocumentInbox): Promise<void> {
  for (const kind of urgency) await inbox.sync(kind)
}

/** Fetches kinds beside the reading of events, the most urgent first; one that is asked for twice runs once more. */
class NewsQueue {
  readonly #inbox: DocumentInbox
  readonly #onFailure: (error: unknown) => void
  readonly #waiting = new Set<DocumentKind>()
  #running: Promise<void> | undefined

  constructor(inbox: DocumentInbox, onFailure: (error: unknown) => void) {
    this.#inbox = inbox
    this.#onFailure = onFailure
  }

  add(kind: DocumentKind): void {
    this.#waiting.add(kind)
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      const kind = urgency.find((each) => this.#waiting.has(each))
      if (kind === undefined) return
      this.#waiting.delete(kind)
      await this.#inbox.sync(kind).catch(this.#onFailure)
    }
  }

  async idle(): Promise<void> {
    await this.#running
  }
}

/**
 * Follows the control plane's events until the stream or a fetch fails, or the signal aborts. Gives how many events
 * came: none at all means that something between here and there does not let them through. `onOpen`: the first is here.
 */
export async function followEvents(
  link: ControlPlaneLink,
  inbox: DocumentInbox,
  signal: AbortSignal,
  onOpen: () => void = () => {},
): Promise<{ readonly events: number; readonly error: unknown }> {
  const broken = new AbortController()
  let failure: unknown
  const queue = new NewsQueue(inbox, (error) => {
    failure ??= error
    broken.abort()
  })
  let events = 0
  let newestState = 0
  try {
    for await (const event of link.events(AbortSignal.any([signal, broken.signal]))) {
      if (event !== 'alive') {
        events++
        if (event.kind === 'state') newestState = event.sequence
        if (event.sequence > 0 && inbox.sequenceOf(event.kind) !== event.sequence) queue.add(event.kind)
      }
      onOpen()
      inbox.confirmState(newestState)
    }
  } catch (error) {
    failure ??= error
  }
  await queue.idle()
  return { events, error: failure }
}

/** Whether the event stream was refused by somebody who does answer: then polls may work. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof ControlPlaneError && error.status >= 400 && error.status < 500 && error.status !== 401
  )
}

/**
 * The way round for networks that let no event stream through: long polls, one for each kind; where those are not held
 * either, plain polls. Throws a ControlPlaneError where the control plane goes away; ends after `durationMs`.
 */
export async function followPolls(
  link: ControlPlaneLink,
  inbox: DocumentInbox,
  options: {
    readonly durationMs: number
    readonly times: WatchTimes
    readonly random: () => number
    readonly signal: AbortSignal
  },
): Promise<void> {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const { times, random } = options
  let failure: unknown
  const poll = async (kind: DocumentKind): Promise<void> => {
    while (!signal.aborted) {
      const startMs = performance.now()
      const offered = await link.document(kind, { etag: inbox.etagOf(kind), wait: true, signal })
      await inbox.receive(kind, offered)
      const held = performance.now() - startMs >= times.heldMsMin
      if (offered.found !== 'new' && !held) await wait(spread(times.pollMs, random), undefined, { signal })
    }
  }
  const timer = setTimeout(() => ended.abort(), options.durationMs)
  const polls = urgency.map((kind) =>
    poll(kind).catch((error: unknown) => {
      if (!signal.aborted) failure ??= error
      ended.abort()
    }),
  )
  await Promise.all(polls)
  clearTimeout(timer)
  if (failure !== undefined) throw failure
}
