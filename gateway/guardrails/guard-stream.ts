import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { Screen } from '../screen.ts'
import type { OpenAttempt } from '../steps/attempt.ts'
import type { Way } from '../way.ts'
import type { CallGuards } from './call-guards.ts'
import type { Guard } from './guard.ts'
import { brokenOutcome } from './judge-text.ts'
import { StreamText } from './stream-text.ts'
import { enforces, verdictOf } from './verdict-log.ts'
import { WindowScreen } from './window-screen.ts'

/** What guards have to do with a stream. */
export interface GuardedStream {
  /** Some guard has to see all of it first. */
  readonly held: boolean
  /** What goes out is written anew. */
  readonly rewrites: boolean
  /** Shows it to the others while it goes out. */
  readonly screen: Screen
  /** Notes what they said, once it is over. */
  end(): void
}

const passing: Screen = { deltas: (deltas) => deltas, flush: () => [], reply: (reply) => reply }

/** A screen that passes on what it shows. */
function showing(inner: Screen, seen: StreamText): Screen {
  return {
    seen,
    get active() {
      return inner.active ?? false
    },
    get stop() {
      return inner.stop
    },
    get ended() {
      return inner.ended ?? false
    },
    deltas(deltas) {
      seen.add(deltas)
      return inner.deltas(deltas)
    },
    flush: () => inner.flush(),
    reply: (reply) => inner.reply(reply),
  }
}

/** Has those look that have no say, when the caller has his answer. */
function lookLater(guards: readonly Guard[], seen: StreamText, open: OpenAttempt, way: Way): void {
  const { allowed, parts } = way
  const own = allowed.guards
  for (const guard of guards) {
    own?.lookLater(async () => {
      // The end of his answer leaves with that of this turn.
      await endOfTurn()
      const about = { target: open.target.name, attempt: open.trail.index, tools: seen.tools }
      const { body } = seen
      if (body !== undefined) return own.observe(guard, body, about)
      const nowMs = parts.clock()
      const none = {
        scannedChars: 0,
        deliveredChars: 0,
        startMs: nowMs,
        endMs: nowMs,
        attempt: about.attempt,
      }
      own.noteVerdict(verdictOf(guard, brokenOutcome('notScanned'), { ...none, stream: guard.stream }))
    })
  }
}

const windowed = (guards: CallGuards): Guard[] =>
  guards.output.filter((guard) => enforces(guard) && guard.stream === 'window' && guard.remote.size === 0)
/** Guards that have to see a whole answer before any of it goes out. */
export const holding = (guards: CallGuards): Guard[] =>
  guards.output.filter(
    (guard) =>
      enforces(guard) && (guard.stream === 'hold' || (guard.stream === 'window' && guard.remote.size > 0)),
  )

/** What the guards of a call have to do with its stream; undefined where there are none. */
export function guardStream(open: OpenAttempt, way: Way): GuardedStream | undefined {
  const { guards } = way.allowed
  if (guards === undefined || (guards.output.length === 0 && guards.placeholders.isEmpty)) return undefined
  if (holding(guards).length > 0) return { held: true, rewrites: true, screen: passing, end: () => {} }
  const inTime = windowed(guards)
  const observers = guards.output.filter((guard) => !inTime.includes(guard))
  const startMs = way.parts.clock()
  const inner =
    inTime.length === 0 && guards.placeholders.isEmpty
      ? undefined
      : new WindowScreen({
          guards: inTime,
          around: guards.around(open.target.name, true),
          placeholders: guards.placeholders,
          hasTools: guards.hasTools,
        })
  const seen = observers.length === 0 ? undefined : new StreamText()
  if (seen !== undefined) lookLater(observers, seen, open, way)
  const screen: Screen = inner ?? passing
  return {
    held: false,
    rewrites: inner !== undefined,
    screen: seen === undefined ? screen : showing(screen, seen),
    end() {
      const endMs = way.parts.clock()
      for (const { guard, outcome, scannedChars, deliveredChars } of inner?.guards ?? []) {
        const said = outcome ?? brokenOutcome('notScanned')
        const at = { startMs, endMs, scannedChars, deliveredChars, attempt: open.trail.index }
        guards.noteVerdict(verdictOf(guard, said, { ...at, stream: 'window' }))
      }
    },
  }
}
