import { type Static, Type } from 'typebox'
import { guardrailLevels, streamModes } from './guardrail-scans.ts'

const closed = { additionalProperties: false } as const
const short = (maxLength: number) => Type.String({ maxLength })
const Chars = Type.Integer({ minimum: 0 })

/**
 * What became of a guardrail in a call. `pass` says that all that went on was scanned: `scannedChars` is
 * `deliveredChars`. `notScanned`: parts of it went by unseen. `skipped`: left out by sampling, or by its pipeline.
 */
export const verdictNames = ['pass', 'fail', 'error', 'notScanned', 'skipped'] as const
/** What was done: `none` where the level lets nothing be done, or nothing was said. */
export const verdictActions = ['none', 'block', 'refuse', 'redact', 'flag', 'retry', 'repair'] as const
export const Verdict = Type.Object(
  {
    guardrail: short(128),
    workspace: short(64),
    direction: Type.Enum(['input', 'output']),
    level: Type.Enum([...guardrailLevels]),
    verdict: Type.Enum([...verdictNames]),
    action: Type.Enum([...verdictActions]),
    code: Type.Optional(short(64)),
    rule: Type.Optional(short(128)),
    /** Kind of what went wrong: `detector`, `timeout`, `exception`, `unavailable`, … */
    error: Type.Optional(short(64)),
    /** Number of the attempt whose answer it looked at. */
    attempt: Type.Optional(Type.Integer({ minimum: 0 })),
    stream: Type.Optional(Type.Enum([...streamModes])),
    hits: Type.Integer({ minimum: 0, description: 'Findings of its detectors.' }),
    scannedChars: Chars,
    /** Characters of what it looks at that went to the caller, or to the upstream, as they came. */
    deliveredChars: Chars,
    annotations: Type.Optional(Type.Record(short(64), short(256))),
    fuel: Type.Integer({ minimum: 0 }),
    startMs: Type.Number({ minimum: 0 }),
    durationMs: Type.Number({ minimum: 0 }),
  },
  { ...closed, description: 'What became of a guardrail in a call.' },
)
export type Verdict = Static<typeof Verdict>
