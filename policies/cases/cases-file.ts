import { Name, type Problem } from '@signalbox/sdk/contract'
import { type Static, type TObject, Type } from 'typebox'
import { ProblemList } from '../compile/problem-list.ts'
import { reportSchemaProblems } from '../compile/schema-problems.ts'
import { type DocumentPath, parseOrReport, type SourceDocument } from '../compile/source-document.ts'
import { type Position, startOfFile } from '../compile/text-position.ts'
import { parseYamlDocument } from '../compile/yaml-document.ts'

const closed = { additionalProperties: false } as const
const casesMax = 2000
const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()])
const Expect = Type.Record(Type.String({ minLength: 1, maxLength: 256 }), Type.Unknown(), {
  minProperties: 1,
})
const Schema = Type.Optional(Type.String({ description: 'Schema of this file, for editors.' }))
const CaseName = Type.String({ minLength: 1, maxLength: 256 })
/** Members of every case. */
const shared = {
  name: CaseName,
  todo: Type.Optional(
    Type.Union([Type.Literal(true), Type.String({ minLength: 1, maxLength: 512 })], {
      description: 'The case is yet to be written; what it says is reported, and nothing is run.',
    }),
  ),
}

function throwing(of: 'policy' | 'guardrail') {
  return Type.Optional(
    Type.Union([Type.Literal(true), Type.String({ minLength: 1, maxLength: 64 })], {
      description: `Makes all rules of the ${of} throw, or the one named, to see what \`onError\` makes of it.`,
    }),
  )
}

/** What a case may say of the call beside the facts; the file's own hold where a case has none. */
const settings = {
  facts: Type.Optional(
    Type.Union([
      Type.String({ maxLength: 512, description: 'Path of a fixture in the workspace.' }),
      Type.Record(Type.String(), Type.Unknown(), { description: 'Facts that differ from the defaults.' }),
    ]),
  ),
  now: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$' })),
  environment: Type.Optional(Name),
  params: Type.Optional(Type.Record(Type.String(), Scalar)),
}
const PolicyCase = Type.Object(
  {
    ...shared,
    ...settings,
    bundle: Type.Optional(Type.Literal('all')),
    set: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Path → value.' })),
    matrix: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.Unknown(), { minItems: 1, maxItems: 64 }), {
        minProperties: 1,
        description: 'Path → values; every combination is a case of its own.',
      }),
    ),
    expect: Type.Optional(Expect),
    snapshot: Type.Optional(Type.Literal(true)),
    throw: throwing('policy'),
  },
  closed,
)
export const PolicySuite = Type.Object(
  {
    $schema: Schema,
    policy: Type.Optional(Type.String({ description: 'Id of the policy under test.' })),
    bundle: Type.Optional(Type.Literal('all', { description: 'All policies of the workspace together.' })),
    ...settings,
    cases: Type.Array(PolicyCase, { maxItems: casesMax }),
  },
  closed,
)
const Span = Type.Object(
  {
    kind: Type.String({ maxLength: 64 }),
    start: Type.Integer({ minimum: 0 }),
    end: Type.Integer({ minimum: 0 }),
    scorePpm: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  closed,
)
const Finding = Type.Object(
  {
    hits: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The number of spans where it is left out.' }),
    ),
    spans: Type.Optional(Type.Array(Span, { maxItems: 1024 })),
    kinds: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
    scorePpm: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  closed,
)
export const GuardrailSuite = Type.Object(
  {
    $schema: Schema,
    guardrail: Type.String({ description: 'Id of the guardrail under test.' }),
    environment: Type.Optional(Name),
    cases: Type.Array(
      Type.Object(
        {
          ...shared,
          text: Type.Optional(
            Type.String({ description: 'The text; the guardrail sees what its window declares.' }),
          ),
          scannedChars: Type.Optional(Type.Integer({ minimum: 0 })),
          stream: Type.Optional(Type.Boolean()),
          target: Type.Optional(Type.String({ maxLength: 256 })),
          params: Type.Optional(Type.Record(Type.String(), Scalar)),
          throw: throwing('guardrail'),
          findings: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Finding)),
          detectorErrors: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
          metadata: Type.Optional(Type.Record(Type.String(), Scalar)),
          expect: Type.Optional(Expect),
        },
        closed,
      ),
      { maxItems: casesMax },
    ),
  },
  closed,
)
export const PromptSuite = Type.Object(
  {
    $schema: Schema,
    prompt: Type.String({ description: 'Name of the prompt under test.' }),
    cases: Type.Array(
      Type.Object(
        {
          ...shared,
          variables: Type.Optional(Type.Record(Type.String(), Type.Union([Scalar, Type.Array(Scalar)]))),
          expect: Type.Optional(Expect),
        },
        closed,
      ),
      { maxItems: casesMax },
    ),
  },
  closed,
)
export type PolicySuite = Static<typeof PolicySuite>
export type PolicyCase = Static<typeof PolicyCase>
export type GuardrailSuite = Static<typeof GuardrailSuite>
export type PromptSuite = Static<typeof PromptSuite>
export type Suite =
  | ({ readonly kind: 'policy' } & PolicySuite)
  | ({ readonly kind: 'guardrail' } & GuardrailSuite)
  | ({ readonly kind: 'prompt' } & PromptSuite)

/** Whether a case asks all policies together. */
export function asksAll(suite: Suite, index: number): boolean {
  return suite.kind === 'policy' && (suite.policy === undefined || suite.cases[index]?.bundle !== undefined)
}

/** The one thing that a case asks: `policy canary`, `guardrail no-secrets`; undefined where it asks all policies. */
export function subjectOf(suite: Suite, index: number): string | undefined {
  if (asksAll(suite, index)) return undefined
  if (suite.kind === 'guardrail') return `guardrail ${suite.guardrail}`
  return suite.kind === 'prompt' ? `prompt ${suite.prompt}` : `policy ${suite.policy}`
}

export interface CasesFile {
  readonly path: string
  /** Undefined where the file has errors. */
  readonly suite?: Suite
  readonly errors: readonly Problem[]
  /** Where the case of an index stands, or a member of it; of the file where there is no index. */
  placeOf(index: number | undefined, path?: DocumentPath): Position
}

const suiteKinds: readonly (readonly [member: string, kind: Suite['kind'], schema: TObject])[] = [
  ['guardrail', 'guardrail', GuardrailSuite],
  ['prompt', 'prompt', PromptSuite],
  ['policy', 'policy', PolicySuite],
  ['bundle', 'policy', PolicySuite],
]

/** What no schema can see: a case that cannot fail, two of one name, two things under test. */
function checkCases(suite: Suite, document: SourceDocument, problems: ProblemList): void {
  const names = new Set<string>()
  for (const [index, each] of suite.cases.entries()) {
    const report = (message: string): void =>
      document.report(problems, ['cases', index], { code: 'case', message })
    if (names.has(each.name)) report(`there is another case "${each.name}" above`)
    names.add(each.name)
    const canFail = each.expect !== undefined || ('snapshot' in each && each.snapshot === true)
    const isBundle = suite.kind === 'policy' && suite.policy === undefined
    if ('throw' in each && (isBundle || ('bundle' in each && each.bundle !== undefined)))
      report('"throw" needs a single policy')
    if (each.todo === undefined && !canFail) report(`case "${each.name}" has neither "expect" nor "snapshot"`)
    if (each.todo !== undefined && canFail) report(`case "${each.name}" is a "todo" and expects something`)
  }
  if (suite.kind === 'policy' && suite.policy !== undefined && suite.bundle !== undefined) {
    document.report(
      problems,
      ['bundle'],
      { code: 'case', message: 'give either "policy" or "bundle"' },
      'key',
    )
  }
}

/** Reads a `*.cases.yaml`: all errors at once, each with its place. */
export function parseCasesFile(path: string, text: string): CasesFile {
  const problems = new ProblemList()
  const document = parseOrReport(() => parseYamlDocument(path, text), path, problems)
  const failed = (): CasesFile => ({ path, errors: problems.sorted(), placeOf: () => startOfFile })
  if (document === undefined) return failed()
  const kind = suiteKinds.find(([member]) => Object.hasOwn(Object(document.value), member))
  if (kind === undefined) {
    const message = 'expected "policy", "bundle", "guardrail" or "prompt", and "cases"'
    document.report(problems, [], { code: 'case', message })
    return failed()
  }
  if (!reportSchemaProblems(kind[2], document, problems)) return failed()
  const suite = { kind: kind[1], ...Object(document.value) } as Suite
  checkCases(suite, document, problems)
  if (problems.hasErrors()) return failed()
  const placeOf: CasesFile['placeOf'] = (index, member = []) => {
    const at = index === undefined ? [] : ['cases', index]
    // A member of members is told by its name: its value may be anything.
    return document.locate([...at, ...member], member.length > 1 ? 'key' : 'value')
  }
  return { path, suite, errors: [], placeOf }
}
