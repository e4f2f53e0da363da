import { type Static, Type } from 'typebox'
import { MetadataValue } from './facts.ts'
import { guardrailRunning } from './guardrail-scans.ts'
import { ParamDeclaration } from './policy.ts'
import { Ppm } from './scalars.ts'

/*
 * What guardrails see and say. Detectors (host code) scan a text and give findings; guardrails (in the sandbox) look
 * at the findings and, where they declare it, at a bounded part of the text.
 */
const closed = { additionalProperties: false } as const
const Direction = Type.Enum(['input', 'output'])
const Offset = Type.Integer({ minimum: 0, description: 'Offset in the scanned text, in UTF-16 units.' })
const DetectorName = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$',
  description: 'Name of a detector.',
})

/** Bytes (UTF-8) of the text that a guardrail can read, all its windows together. */
export const guardrailWindowBytesMax = 8192
/** Detectors that one guardrail can read. */
export const guardrailDetectorsMax = 16
/** Spans that the facts of a guardrail hold, of all detectors together; `hits` counts all. */
export const guardrailSpansMax = 128

/** One thing that a detector found. Never with the text itself. */
export const DetectorFinding = Type.Object(
  {
    detector: DetectorName,
    kind: Type.String({ maxLength: 64, description: 'What it is: `email`, `apiKey`.' }),
    start: Offset,
    end: Offset,
    scorePpm: Type.Optional(Ppm),
  },
  closed,
)
export type DetectorFinding = Static<typeof DetectorFinding>

const FindingSpan = Type.Object(
  { kind: Type.String({ maxLength: 64 }), start: Offset, end: Offset, scorePpm: Type.Optional(Ppm) },
  closed,
)
const DetectorFindings = Type.Object(
  {
    hits: Type.Integer({ minimum: 0 }),
    kinds: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 }),
    byKind: Type.Record(Type.String({ maxLength: 64 }), Type.Integer({ minimum: 0 })),
    spans: Type.Array(FindingSpan, { maxItems: guardrailSpansMax }),
    scorePpm: Type.Optional(Ppm),
  },
  closed,
)

/** guardrail-facts/1: what a guardrail may know. Fields may be added, never renamed, removed or changed in meaning. */
export const GuardrailFacts = Type.Object(
  {
    schema: Type.Literal('guardrail-facts/1'),
    direction: Direction,
    text: Type.Object(
      {
        chars: Type.Integer({ minimum: 0, description: 'Length of the whole text, in UTF-16 units.' }),
        scannedChars: Type.Integer({
          minimum: 0,
          description: 'How much of it the detectors have looked at.',
        }),
        first: Type.Optional(Type.String({ description: 'Its beginning, as far as the window declares.' })),
        last: Type.Optional(Type.String({ description: 'Its end, as far as the window declares.' })),
        lastStart: Type.Optional(Offset),
      },
      closed,
    ),
    /** By detector, those that the guardrail reads. Missing where the detector failed. */
    findings: Type.Record(DetectorName, DetectorFindings),
    detectorErrors: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 }),
    metadata: Type.Record(Type.String({ maxLength: 64 }), MetadataValue),
    target: Type.Optional(Type.String({ maxLength: 256, description: 'Target that answers; output only.' })),
    stream: Type.Boolean({ description: 'The text comes in pieces; this is what is there so far.' }),
    truncated: Type.Array(Type.String({ maxLength: 128 }), {
      maxItems: 64,
      description: 'Paths that were cut.',
    }),
  },
  closed,
)
export type GuardrailFacts = Static<typeof GuardrailFacts>

/** The part of the text that a guardrail can read. Bytes of UTF-8, cut at a character. */
export const GuardrailWindow = Type.Object(
  {
    firstBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: guardrailWindowBytesMax })),
    lastBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: guardrailWindowBytesMax })),
  },
  { ...closed, minProperties: 1, description: 'Text that a guardrail reads: { "lastBytes": 4096 }.' },
)
export type GuardrailWindow = Static<typeof GuardrailWindow>

const Code = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$',
  description: 'a code: a letter, then letters, digits or "_"',
})
const Message = Type.String({ minLength: 1, maxLength: 512 })
/** What a rule of a guardrail can say, by name, from the strongest on; of several the strongest holds. */
export const GuardrailActions = {
  /** Stops the text with an error. */
  block: Type.Object({ block: Type.Object({ code: Code, message: Type.Optional(Message) }, closed) }, closed),
  /** Stops the text; the caller gets an answer that says this instead. */
  refuse: Type.Object(
    {
      refuse: Type.Object(
        {
          code: Code,
          message: Message,
          as: Type.Optional(
            Type.Enum(['refusal', 'text'], {
              description:
                "`refusal`: the dialect's own form of declining; `text`: an answer like any other, which agents go on from. If left out, `text` where the call offers tools.",
            }),
          ),
        },
        closed,
      ),
    },
    closed,
  ),
  /** Takes out what detectors found, or what lies between given offsets. */
  redact: Type.Object(
    {
      redact: Type.Object(
        {
          code: Code,
          detectors: Type.Optional(
            Type.Array(DetectorName, { minItems: 1, maxItems: guardrailDetectorsMax }),
          ),
          kinds: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 64 })),
          spans: Type.Optional(
            Type.Array(Type.Object({ start: Offset, end: Offset }, closed), { maxItems: guardrailSpansMax }),
          ),
          with: Type.Optional(Type.String({ maxLength: 64, description: 'What stands there instead.' })),
          reversible: Type.Optional(
            Type.Boolean({
              description:
                'Of an input: what was taken out is put back where the answer repeats its placeholder, `[EMAIL_1]`.',
            }),
          ),
        },
        closed,
      ),
    },
    closed,
  ),
  /** Lets the text pass and notes it. */
  flag: Type.Object(
    {
      flag: Type.Object(
        {
          code: Code,
          annotate: Type.Optional(
            Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }), {
              maxProperties: 16,
            }),
          ),
        },
        closed,
      ),
    },
    closed,
  ),
} as const
export type GuardrailActionName = keyof typeof GuardrailActions
export const guardrailActionNames: readonly GuardrailActionName[] = ['block', 'refuse', 'redact', 'flag']
export const GuardrailAction = Type.Union([
  GuardrailActions.block,
  GuardrailActions.refuse,
  GuardrailActions.redact,
  GuardrailActions.flag,
])
export type GuardrailAction = Static<typeof GuardrailAction>

/** A guardrail as a version holds it: what the host has to run and to hand over for it, and nothing else. */
export const CompiledGuardrail = Type.Object(
  {
    id: Type.String(),
    file: Type.String(),
    direction: Direction,
    description: Type.Optional(Type.String()),
    /** Detectors that have to run for it. Missing in versions from before: all. */
    detectors: Type.Optional(Type.Array(Type.String(), { maxItems: guardrailDetectorsMax })),
    /** Text that it reads; without one it reads none. */
    window: Type.Optional(GuardrailWindow),
    params: Type.Optional(Type.Record(Type.String(), ParamDeclaration)),
    ...guardrailRunning,
    /** Paths of its facts that it reads; `*` for all. */
    reads: Type.Optional(Type.Array(Type.String())),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String(),
            line: Type.Integer({ minimum: 1 }),
            column: Type.Integer({ minimum: 1 }),
            conditions: Type.Array(
              Type.Object(
                { text: Type.String(), reads: Type.Array(Type.String()), lifted: Type.Boolean() },
                closed,
              ),
            ),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
)
export type CompiledGuardrail = Static<typeof CompiledGuardrail>
