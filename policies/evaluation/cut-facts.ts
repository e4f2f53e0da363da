import type { Facts, PolicyMatch } from '@signalbox/sdk/contract'
import type { Answer, Asked } from './ask-layer.ts'
import type { LayerRule } from './layer.ts'

/** Whether one path leads to the other, or both are the same. `*` is the whole document. */
export function pathsOverlap(one: string, other: string): boolean {
  if (one === '*' || other === '*' || one === other) return true
  return one.startsWith(`${other}.`) || other.startsWith(`${one}.`)
}

/** Facts that the `match` of a policy looks at. */
export function readsOfMatch(match: PolicyMatch | undefined): string[] {
  return [
    ...(match?.route === undefined ? [] : ['request.route']),
    ...(match?.node === undefined ? [] : ['subject.node.path']),
  ]
}

/** The first fact that a rule reads and that was cut to its maximum. */
function cutFactOf(rule: LayerRule, facts: Facts): string | undefined {
  return facts.truncated.find((path) => rule.reads.some((read) => pathsOverlap(path, read)))
}

/** Whether some rule of these policies reads a fact that was cut; nearly no call has one. */
export function readsCutFacts({ constraints, routes }: Asked, facts: Facts): boolean {
  if (facts.truncated.length === 0) return false
  const isCut = (rule: LayerRule) => cutFactOf(rule, facts) !== undefined
  return [...constraints, ...routes].some(({ rules }) => rules.some(isCut))
}

/** The answer as if each rule that reads a cut fact had thrown: what it came to with half a fact does not count. */
export function breakCutRules(answer: Answer, facts: Facts): Answer {
  const { policy, trapped } = answer
  if (trapped !== undefined) return answer
  const cut = policy.rules.map((rule) => cutFactOf(rule, facts))
  const ruleOf = (entry: Answer['matched'][number]) => (typeof entry === 'number' ? entry : entry[0])
  const ended = [...answer.matched.map(ruleOf), ...answer.broken.map(([rule]) => rule)]
  // A route asks no rule after the one that matched or broke.
  const last = policy.kind === 'route' ? Math.min(...ended, policy.rules.length - 1) : policy.rules.length - 1
  const broken = cut.flatMap((path, index) => {
    if (path === undefined || index > last) return []
    return [[index, 'exception', `reads "${path}", which was cut to its maximum`] as const]
  })
  if (broken.length === 0) return answer
  const first = broken[0]?.[0] ?? 0
  // In a route, what stands after the first of them was not asked.
  const isLost = (rule: number) => (policy.kind === 'route' ? rule >= first : cut[rule] !== undefined)
  let position = 0
  const trace = policy.rules
    .map(({ conditions }, index) => {
      const letters = answer.trace.slice(position, position + conditions)
      position += conditions
      return isLost(index) ? '-'.repeat(conditions) : letters
    })
    .join('')
  const kept = answer.broken.filter(([rule]) => !isLost(rule))
  const all = policy.kind === 'route' ? broken.slice(0, 1) : [...kept, ...broken]
  return {
    ...{ policy, trace },
    matched: answer.matched.filter((entry) => !isLost(ruleOf(entry))),
    broken: all.sort(([one], [other]) => one - other),
  }
}
