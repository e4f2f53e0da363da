import { type Static, Type } from 'typebox'
import { atomsOf, type CompiledModule, type CompiledSite, siteKey } from './condition.ts'
import { ConditionCompiler } from './condition-compiler.ts'
import type { ExpressionScope } from './expression-checker.ts'
import { guardrailModule } from './json-module.ts'
import type { PolicyScope } from './json-policy.ts'
import { reportSchemaProblems, schemaFindings } from './schema-problems.ts'
import type { SourceDocument } from './source-document.ts'

const closed = { additionalProperties: false } as const
const Code = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$',
  description: 'a code: a letter, then letters, digits or "_"',
})

/** What follows where a guardrail's condition holds. */
export const GuardrailActions = {
  block: Type.Object(
    {
      block: Type.Object({ code: Code, message: Type.Optional(Type.String({ maxLength: 512 })) }, closed),
    },
    closed,
  ),
  flag: Type.Object({ flag: Type.Object({ code: Code }, closed) }, closed),
} as const
/** A guardrail in JSON form. `when` is an Expression over its facts: findings, the text's length, metadata. */
const GuardrailFile = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    kind: Type.Literal('guardrail'),
    id: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,127}$',
      description: 'a name: small letters, digits, ".", "_", "-"',
    }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    direction: Type.Enum(['input', 'output']),
    when: Type.Unknown(),
    then: Type.Unknown(),
  },
  closed,
)
type GuardrailFile = Static<typeof GuardrailFile>

/** What is wrong with the action of a guardrail, in the words of the one that was meant. */
export function actionFindings(action: unknown): ReturnType<typeof schemaFindings> {
  const name = Object.keys(Object(action)).find((key) => Object.hasOwn(GuardrailActions, key))
  if (name !== undefined) return schemaFindings(GuardrailActions[name as 'block' | 'flag'], action)
  const message = 'a guardrail says { "block": { "code": … } } or { "flag": { "code": … } }'
  return [{ code: 'effect', message, path: [], part: 'value' }]
}

/** Compiles a guardrail in JSON form to a module. Undefined where it is not of its schema; all is reported. */
export function compileJsonGuardrail(
  document: SourceDocument,
  scope: PolicyScope,
): CompiledModule | undefined {
  const { problems, facts } = scope
  if (!reportSchemaProblems(GuardrailFile, document, problems)) return undefined
  // Fits the schema, as was just checked.
  const { id, direction, description, when, then } = document.value as GuardrailFile
  const report: ExpressionScope['report'] = (path, finding, part) =>
    document.report(problems, path, finding, part)
  const expressions = { facts, params: {}, hasCaller: false, report }
  const compiled = new ConditionCompiler(expressions, (path) => document.textOf(path)).compile(when, ['when'])
  for (const finding of actionFindings(then)) report(['then', ...finding.path], finding)
  const atoms = compiled === null ? [] : atomsOf(compiled.condition)
  const start = document.locate([])
  const key = siteKey(document.file, 0)
  const site: CompiledSite = {
    position: start,
    idPosition: document.locate(['id']),
    thenPosition: document.locate(['then']),
    atoms,
    reads: new Set(atoms.flatMap((atom) => atom.reads)),
    escapes: false,
  }
  const { code, map } = guardrailModule(document, {
    id,
    site: key,
    header: { direction, description },
    conditions: atoms.length,
    when: compiled?.code ?? 'false',
    action: then,
  })
  const sites = new Map([[key, site]])
  return { file: document.file, code, map, sites, imports: [], params: new Map(), defaultPosition: start }
}
