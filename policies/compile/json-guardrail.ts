import {
  Allowances,
  type Expression,
  type GuardrailAction,
  GuardrailWindow,
  guardrailRunning,
} from '@signalbox/sdk/contract'
import { type Static, Type } from 'typebox'
import { checkActions } from '../evaluation/guardrail-actions.ts'
import { atomsOf, type CompiledModule, type CompiledSite, type Params, siteKey } from './condition.ts'
import { ConditionCompiler } from './condition-compiler.ts'
import type { ExpressionScope } from './expression-checker.ts'
import { type JsonRule, jsonModule } from './json-module.ts'
import type { PolicyScope } from './json-policy.ts'
import { checkParamDeclarations } from './param-declarations.ts'
import { reportSchemaProblems, schemaFindings } from './schema-problems.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'

const closed = { additionalProperties: false } as const
const OnError = Type.Optional(Type.Enum(['deny', 'continue']))
/** What a rule says is checked in words of its own. */
const rule = { when: Type.Optional(Type.Unknown()), then: Type.Unknown() }

/** A guardrail in JSON form: one rule, or several. `when` is an Expression over its facts. */
export const GuardrailFile = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    kind: Type.Literal('guardrail'),
    id: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,127}$',
      description: 'a name: small letters, digits, ".", "_", "-"',
    }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    direction: Type.Enum(['input', 'output']),
    allow: Type.Optional(Allowances),
    detectors: Type.Optional(Type.Array(Type.String(), { maxItems: 64 })),
    window: Type.Optional(GuardrailWindow),
    ...guardrailRunning,
    params: Type.Optional(Type.Object({})),
    onError: OnError,
    when: Type.Optional(Type.Unknown()),
    then: Type.Optional(Type.Unknown()),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String({
              pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
              description: 'Stable id of the rule.',
            }),
            allow: Type.Optional(Allowances),
            ...rule,
            onError: OnError,
          },
          closed,
        ),
        { minItems: 1, maxItems: 256 },
      ),
    ),
  },
  closed,
)
type GuardrailFile = Static<typeof GuardrailFile>

/** A guardrail that says nothing of when it holds, holds where one of its scans finds something. */
function anyFindingOf(names: readonly string[]): Expression {
  return { any: names.map((name) => ({ gt: [{ fact: `findings.${name}.hits`, or: 0 }, 0] })) }
}

/** Compiles one guardrail in JSON form. */
class JsonGuardrailCompiler {
  readonly #document: SourceDocument
  readonly #file: GuardrailFile
  readonly #scope: PolicyScope
  readonly #expressions: ExpressionScope

  constructor(document: SourceDocument, scope: PolicyScope) {
    this.#document = document
    this.#scope = scope
    // Fits the schema, as was just checked.
    this.#file = document.value as GuardrailFile
    const params: Params = checkParamDeclarations(document, scope.problems)
    const report: ExpressionScope['report'] = (path, finding, part) =>
      document.report(scope.problems, path, finding, part)
    this.#expressions = { facts: scope.facts, params, hasCaller: false, report }
  }

  /** Its rules and where they stand; a guardrail without a list of them is one itself. */
  #rules(): {
    path: DocumentPath
    id: string
    when: unknown
    then: unknown
    onError?: 'deny' | 'continue'
  }[] {
    const { id, rules, when, then, scan } = this.#file
    const needs = (member: string): void => {
      const message = `a guardrail without "rules" needs the member "${member}"`
      this.#document.report(this.#scope.problems, [], { code: 'schema', message })
    }
    if (rules === undefined && this.#file.pipeline !== undefined) return []
    if (rules === undefined) {
      if (when === undefined && scan !== undefined)
        return [{ path: [], id, when: anyFindingOf(Object.keys(scan)), then }]
      if (when === undefined) needs('when')
      if (then === undefined) needs('then')
      return [{ path: [], id, when, then }]
    }
    for (const member of ['when', 'then'] as const) {
      if (this.#file[member] === undefined) continue
      const message = `"${member}" belongs into a rule: this guardrail has "rules"`
      this.#document.report(this.#scope.problems, [member], { code: 'schema', message }, 'key')
    }
    const known = new Set<string>()
    return rules.map((each, index) => {
      const path = ['rules', index]
      const message = `the guardrail "${id}" has two rules "${each.id}"`
      if (known.has(each.id)) {
        this.#document.report(this.#scope.problems, [...path, 'id'], { code: 'duplicate_id', message })
      }
      known.add(each.id)
      return { ...each, path, when: each.when }
    })
  }

  #actions(then: unknown, path: DocumentPath): GuardrailAction[] {
    const said: unknown[] = Array.isArray(then) ? then : [then]
    const findings = checkActions(said, schemaFindings)
    for (const finding of findings) {
      const [index = 0, ...rest] = finding.path
      const place = Array.isArray(then) ? [...path, index, ...rest] : [...path, ...rest]
      this.#expressions.report(place, finding, finding.part)
    }
    // The shape was just checked.
    return findings.length === 0 ? (said as GuardrailAction[]) : []
  }

  compile(): CompiledModule {
    const { file } = this.#document
    const { id, direction, description, detectors, window, onError } = this.#file
    const { level, parts, stream, samplePpm, timeoutMs, scan, pipeline } = this.#file
    const running = { level, parts, stream, samplePpm, timeoutMs, scan, pipeline }
    const start = this.#document.locate([])
    const sites = new Map<string, CompiledSite>()
    const none = { atoms: [], reads: new Set<string>(), escapes: false }
    const own = siteKey(file, 0)
    sites.set(own, {
      position: start,
      idPosition: this.#document.locate(['id']),
      thenPosition: start,
      ...none,
    })
    const rules = this.#rules().map(({ path, ...each }, index): JsonRule => {
      const compiler = new ConditionCompiler(this.#expressions, this.#document)
      const compiled =
        each.when === undefined ? null : compiler.compile(each.when as Expression, [...path, 'when'])
      const atoms = compiled === null ? [] : atomsOf(compiled.condition)
      const site = siteKey(file, index + 1)
      const position = this.#document.locate(path)
      sites.set(site, {
        position,
        idPosition: this.#document.locate([...path, 'id']),
        thenPosition: this.#document.locate([...path, 'then']),
        atoms,
        condition: compiled?.condition ?? null,
        whenPosition: this.#document.locate([...path, 'when']),
        reads: new Set(atoms.flatMap((atom) => atom.reads)),
        escapes: false,
      })
      const effects = this.#actions(each.then, [...path, 'then'])
      const when = compiled?.code ?? null
      const conditions = atoms.length
      return { id: each.id, site, conditions, when, effects, useCode: null, onError: each.onError, position }
    })
    const header = { direction, description, detectors, window, onError, ...running }
    const { params } = this.#expressions
    const { code, map } = jsonModule(this.#document, {
      kind: 'guardrail',
      id,
      site: own,
      header,
      params,
      rules,
    })
    const places = Object.keys(params).map(
      (name) => [name, this.#document.locate(['params', name], 'key')] as const,
    )
    return { file, code, map, sites, imports: [], params: new Map(places), defaultPosition: start }
  }
}

/** Compiles a guardrail in JSON form to a module. Undefined where it is not of its schema; all is reported. */
export function compileJsonGuardrail(
  document: SourceDocument,
  scope: PolicyScope,
): CompiledModule | undefined {
  if (!reportSchemaProblems(GuardrailFile, document, scope.problems)) return undefined
  return new JsonGuardrailCompiler(document, scope).compile()
}
