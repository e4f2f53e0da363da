import { type SignalCondition, type StepSignal, stepSignals } from '@signalbox/sdk/contract'

/** What is known of the steps so far, by `STEP.SIGNAL`. */
export type Signals = ReadonlyMap<string, string | number>

function compare(operator: string, left: string | number, right: unknown): boolean {
  if (operator === 'eq') return left === right
  if (operator === 'ne') return left !== right
  if (typeof left !== 'number' || typeof right !== 'number') return false
  if (operator === 'lt') return left < right
  if (operator === 'lte') return left <= right
  return operator === 'gt' ? left > right : left >= right
}

/** True, false, or undefined where it goes by a signal that nobody gave. */
function evaluate(condition: SignalCondition, signals: Signals): boolean | undefined {
  if ('all' in condition || 'any' in condition) {
    const isAll = 'all' in condition
    const results = (isAll ? condition.all : condition.any).map((each) => evaluate(each, signals))
    if (results.includes(!isAll)) return !isAll
    return results.includes(undefined) ? undefined : isAll
  }
  if ('not' in condition) {
    const inner = evaluate(condition.not, signals)
    return inner === undefined ? undefined : !inner
  }
  const [operator, operands] = Object.entries(condition)[0] ?? []
  const [left, right] = Array.isArray(operands) ? operands : []
  const value = signals.get(String(Object(left).signal))
  return value === undefined || operator === undefined ? undefined : compare(operator, value, right)
}

/** Whether a step runs. It does where its condition goes by what is not known: a draft too good is no harm. */
export function runs(onlyIf: unknown, signals: Signals): boolean {
  return onlyIf === undefined || evaluate(onlyIf as SignalCondition, signals) !== false
}

/** The signals of a step that is over. */
export function signalsOf(
  step: string,
  seen: Partial<Readonly<Record<StepSignal, string | number>>>,
): [string, string | number][] {
  return (Object.keys(stepSignals) as StepSignal[]).flatMap((name) => {
    const value = seen[name]
    return value === undefined ? [] : [[`${step}.${name}`, value]]
  })
}
