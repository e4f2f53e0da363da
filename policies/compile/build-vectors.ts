import {
  type CompiledWorkspace,
  type Expression,
  Facts,
  type GoldenVector,
  type PlanFeature,
} from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { parsePath, putAt } from '../cases/document-path.ts'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { baseFacts, overlay } from '../evaluation/base-facts.ts'
import { vectorInput } from '../evaluation/vectors.ts'
import type { Engine, EvaluationInput, InspectedEvaluation, Program } from '../program.ts'
import type { BuiltVersion, SourceFiles } from './built-version.ts'

/** Environments that vectors are made for beside the declared ones. */
const usualEnvironments = ['development', 'staging', 'production']
/** Documents per environment, at most: some for rules, some for fixtures. */
const rulesMax = 12
const fixturesMax = 8
const fixtureFile = /^fixtures\/.*\.facts\.json$/

/** The conditions of a rule that are data. */
export interface RuleAtoms {
  readonly name: string
  readonly expressions: readonly Expression[]
}

/** A value that makes a comparison with a fact come true, as far as that is plain; undefined where it is not. */
function wish(expression: Expression): { path: string; value: string | number | boolean } | undefined {
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) return undefined
  if ('bucket' in expression) return { path: 'subject.stickyKey', value: 'somebody' }
  if ('fact' in expression) return { path: expression.fact, value: true }
  const [operator = '', operands] = Object.entries(expression)[0] ?? []
  const [left, right]: Expression[] = Array.isArray(operands) ? operands : []
  const path = Object(left).fact
  const value = Array.isArray(right) ? right[0] : right
  if (typeof path !== 'string') return undefined
  if (typeof value === 'number') {
    const step = operator === 'gt' ? 1 : operator === 'lt' ? -1 : 0
    return { path, value: value + step }
  }
  const isPlain = operator === 'eq' || operator === 'in' || operator === 'startsWith'
  return isPlain && (typeof value === 'string' || typeof value === 'boolean') ? { path, value } : undefined
}

/** Facts that a rule probably holds for; undefined where they would be none. */
function factsFor(base: Facts, rule: RuleAtoms): Facts | undefined {
  const facts = structuredClone(base)
  for (const expression of rule.expressions) {
    const wanted = wish(expression)
    const path = wanted === undefined ? undefined : parsePath(wanted.path)
    if (wanted !== undefined && path !== undefined) putAt(facts, path, wanted.value)
  }
  return fits(Facts, facts) ? facts : undefined
}

function fixturesOf(files: SourceFiles, base: Facts): { name: string; facts: Facts }[] {
  const found: { name: string; facts: Facts }[] = []
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!fixtureFile.test(path) || found.length >= fixturesMax) continue
    try {
      const facts = overlay(base, JSON.parse(text))
      if (fits(Facts, facts)) found.push({ name: path, facts })
    } catch {
      // A broken fixture is reported by the cases that use it.
    }
  }
  return found
}

/** A vector and what its policies said, while the program that was asked is there. */
export interface MadeVector {
  readonly name: string
  readonly environment: string
  readonly program: Program
  readonly input: EvaluationInput
  readonly evaluation: InspectedEvaluation
}

/** Facts of a plain call of a workspace: its first alias, all its targets healthy. */
function plainFacts(compiled: CompiledWorkspace, program: Program): Facts {
  const [alias] = Object.keys(compiled.models).sort()
  const overrides = compiled.environments[program.environment]?.models ?? {}
  const targets = alias === undefined ? undefined : (overrides[alias] ?? compiled.models[alias])
  const model = alias === undefined || targets === undefined ? {} : { requested: alias, alias, targets }
  return baseFacts({
    environment: { name: program.environment, region: '' },
    request: { model },
    models: program.candidates.map((target) => ({
      target,
      health: { state: 'up', errorPpm: 0 },
      lossless: true,
    })),
  })
}

/**
 * Makes the golden vectors of a version: facts, and the digest of what its policies decide on them. They
 * travel with the version, and whoever runs it checks them first. As NDJSON.
 */
export function buildVectors(
  version: Pick<BuiltVersion, 'script' | 'compiled'>,
  rules: readonly RuleAtoms[],
  around: {
    engine: Engine
    catalogue: CatalogueIndex
    files: SourceFiles
    features: readonly PlanFeature[]
    /** Sees each vector as it is made. */
    watch: (vector: MadeVector) => void
  },
): string {
  const { compiled, script } = version
  const environments = new Set([...usualEnvironments, ...Object.keys(compiled.environments)])
  const lines: string[] = []
  for (const environment of [...environments].sort()) {
    const nodePath = compiled.node.split('/').filter((name) => name !== '')
    const { engine, features } = around
    const program = engine.load([{ digest: '', script, compiled, nodePath }], { environment, features })
    const plain = plainFacts(compiled, program)
    const documents = [{ name: 'plain', facts: plain }]
    for (const rule of rules.slice(0, rulesMax)) {
      const facts = factsFor(plain, rule)
      if (facts !== undefined) documents.push({ name: rule.name, facts })
    }
    for (const { name, facts } of [...documents, ...fixturesOf(around.files, plain)]) {
      const known = { compiled, catalogue: around.catalogue }
      const input = vectorInput(program, facts, known)
      const evaluation = program.inspect(input)
      const { decisionDigest } = evaluation
      around.watch({ name, environment, program, input, evaluation })
      const vector: GoldenVector = { name, environment, facts, decisionDigest }
      lines.push(JSON.stringify(vector))
    }
    program.dispose()
  }
  return lines.map((line) => `${line}\n`).join('')
}
