import { type Static, Type } from 'typebox'

/**
 * How much of a call's facts its record has. `masked`: some were taken out after the decision, and are named.
 * `digest`: none, only the digest of all.
 */
export const factsClasses = ['full', 'masked', 'digest'] as const
export type FactsClass = (typeof factsClasses)[number]
export const FactsClassSchema = Type.Enum([...factsClasses])

/** Facts that can be masked; of metadata also `request.metadata.NAME`, one property. */
export const maskableFacts = [
  'data.detectors',
  'data.sensitivity',
  'request.client',
  'request.metadata',
  'request.route',
  'request.tools.names',
  'session',
  'subject.keyName',
  'subject.stickyKey',
  'subject.userId',
] as const

/**
 * What is masked where a rule names nothing: what says who somebody is. Beside these, each metadata property whose
 * values are not listed in its declaration (`enum`, `const`, `boolean`).
 */
export const personalFacts: readonly string[] = [
  'request.client',
  'session',
  'subject.keyName',
  'subject.stickyKey',
  'subject.userId',
]

const masksMax = 32
export const Mask = Type.Array(
  Type.String({
    pattern: `^(${maskableFacts.join('|').replaceAll('.', '\\.')}|request\\.metadata\\.[^.]{1,64})$`,
    description: `One of ${maskableFacts.join(', ')}, or request.metadata.NAME.`,
  }),
  { minItems: 1, maxItems: masksMax, description: 'Paths of facts that are taken out.' },
)

/** What the state says of records that have not all facts of their calls. */
export const StateFactsRule = Type.Object({
  owner: Type.Object({ kind: Type.Enum(['environment', 'node', 'key']), id: Type.String() }),
  class: Type.Enum(['masked', 'digest']),
  /** Left out: what says who somebody is. */
  mask: Type.Optional(Type.Array(Type.String())),
})
export type StateFactsRule = Static<typeof StateFactsRule>
