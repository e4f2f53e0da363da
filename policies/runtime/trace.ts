/**
 * What the conditions of a rule came to, by position. Compiled conditions write here in place, as
 * `(trace[0] = pending, trace[0] = <condition>)`: two array writes and no call.
 */
export const trace: unknown[] = []
/** Stands at a position while its condition is evaluated; it stays there if the condition throws. */
export const pending = { pending: true }
const idle = { idle: true }

/** Makes room for the positions of one rule. */
export function reserveTrace(conditions: number): void {
  while (trace.length < conditions) trace.push(idle)
}

/** The trace of a rule that was just evaluated: `-` not reached, `0` false, `1` true, `!` threw. Clears it. */
export function takeTrace(conditions: number): string {
  let letters = ''
  for (let at = 0; at < conditions; at++) {
    const value = trace[at]
    letters += value === idle ? '-' : value === pending ? '!' : value ? '1' : '0'
    trace[at] = idle
  }
  return letters
}
