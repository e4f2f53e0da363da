import type {
  CallRecord,
  CompiledPolicy,
  CompiledWorkspace,
  Facts,
  PolicyResult,
  ReplyOf,
  recordOperations,
} from '@signalbox/sdk/contract'
import { summariseRecord } from './explain-summary.ts'

export type Explanation = ReplyOf<(typeof recordOperations)['explainRecord']>
export type ExplainedPolicy = Explanation['policies'][number]
export type ExplainedCondition = ExplainedPolicy['rules'][number]['conditions'][number]

const outcomeOfMark: Readonly<Record<string, ExplainedCondition['outcome']>> = {
  '-': 'notEvaluated',
  '0': 'false',
  '1': 'true',
  '!': 'threw',
}

/**
 * The value at a path of the facts, null where there is none. A name of a metadata property or a detector may itself
 * hold dots, so at each level the longest name that is there wins.
 */
export function factAt(facts: Facts, path: string): unknown {
  let value: unknown = facts
  let parts = path.split('.')
  while (parts.length > 0) {
    if (typeof value !== 'object' || value === null) return null
    const members = value as Readonly<Record<string, unknown>>
    let taken = parts.length
    while (taken > 0 && !Object.hasOwn(members, parts.slice(0, taken).join('.'))) taken--
    if (taken === 0) return null
    value = members[parts.slice(0, taken).join('.')]
    parts = parts.slice(taken)
  }
  return value ?? null
}

function explainRules(
  policy: CompiledPolicy,
  trace: string,
  facts: Facts | undefined,
): ExplainedPolicy['rules'] {
  let position = 0
  return policy.rules.map((rule) => ({
    id: rule.id,
    line: rule.line,
    conditions: rule.conditions.map((condition) => {
      const outcome = outcomeOfMark[trace.charAt(position++)] ?? 'notEvaluated'
      // `*` is the whole document: what a condition took from it is not known, so nothing is claimed.
      const paths = facts === undefined ? [] : condition.reads.filter((path) => path !== '*')
      const values = Object.fromEntries(paths.map((path) => [path, facts && factAt(facts, path)]))
      return { text: condition.text, outcome, values }
    }),
  }))
}

function explainPolicy(
  result: PolicyResult,
  workspaces: ReadonlyMap<string, CompiledWorkspace>,
  facts: Facts | undefined,
): ExplainedPolicy {
  const compiled = workspaces.get(result.workspace)?.policies.find((policy) => policy.id === result.id)
  return {
    ...result,
    file: compiled?.file ?? null,
    rules: compiled === undefined ? [] : explainRules(compiled, result.trace, facts),
  }
}

/**
 * Why a call was decided as it was: every policy that was evaluated, matched or not, each condition with its outcome
 * and the facts it read, and the same as lines for people. Nothing is evaluated again; all is from the record.
 * @param workspaces The compiled workspaces of the versions that decided, by name; what is missing is left out.
 * @param traceUrlTemplate Address of a trace with `{traceId}` in it.
 */
export function explainRecord(
  record: CallRecord,
  workspaces: ReadonlyMap<string, CompiledWorkspace>,
  traceUrlTemplate?: string,
): Explanation {
  const { row, body } = record
  const policies = body.policies.map((result) => explainPolicy(result, workspaces, body.facts))
  return {
    id: row.id,
    row,
    decision: body.decision ?? null,
    policies,
    reasons: body.decision?.reasons ?? [],
    summary: summariseRecord(record, policies),
    traceUrl:
      traceUrlTemplate === undefined || row.traceId === undefined
        ? null
        : traceUrlTemplate.replaceAll('{traceId}', row.traceId),
  }
}
