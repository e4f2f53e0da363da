import type { Delta } from '../../gateway/call.ts'
import { LeakRig } from '../gateway/guardrails/leak-rig.ts'
import { randomFrom } from '../support/leak-corpus.ts'

/**
 * What a guardrail over personal data, keys, a pattern and two terms adds to a stream: `node
 * test/bench/guarded-streams.ts [STREAMS]`. Time per token is that of the thread; how far a token is held back is
 * counted in tokens and characters, as time depends on the model.
 */
const [wanted = '300'] = process.argv.slice(2)
const words =
  'the report shows that revenue grew in the northern region and ask for 12.4 % more of it on Friday before noon'
const random = randomFrom(1)
const tokensPerStream = 500

function tokens(): string[] {
  const list = words.split(' ')
  return Array.from({ length: tokensPerStream }, () => ` ${list[Math.floor(random() * list.length)] ?? ''}`)
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function line(name: string, values: readonly number[], unit: string): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(sorted, share).toFixed(1))
  return `${name}: p50 ${p50}, p90 ${p90}, p99 ${p99}, most ${(sorted.at(-1) ?? 0).toFixed(1)} ${unit}\n`
}

const rig = await LeakRig.create()
const micros: number[] = []
const heldTokens: number[] = []
const heldChars: number[] = []

/** One stream; gives what it needed for each token, and how much came before it went out. */
function stream(isCounted: boolean): void {
  const screen = rig.open()
  const pieces = tokens()
  const ends: number[] = []
  let sent = 0
  let out = 0
  let next = 0
  screen.deltas([{ type: 'blockStart', index: 0, block: { type: 'text' } }])
  for (const [index, text] of pieces.entries()) {
    sent += text.length
    ends.push(sent)
    const before = performance.now()
    const deltas: readonly Delta[] = screen.deltas([{ type: 'blockDelta', index: 0, text }])
    if (isCounted) micros.push((performance.now() - before) * 1000)
    for (const delta of deltas) if (delta.type === 'blockDelta') out += delta.text?.length ?? 0
    if (isCounted) heldChars.push(sent - out)
    for (; next < ends.length && (ends[next] ?? 0) <= out; next++)
      if (isCounted) heldTokens.push(index - next)
  }
}

for (let warm = 0; warm < 30; warm++) stream(false)
for (let count = 0; count < Number(wanted); count++) stream(true)
process.stdout.write(`${wanted} streams of ${tokensPerStream} tokens\n`)
process.stdout.write(line('added time per token', micros, 'µs'))
process.stdout.write(line('held back', heldTokens, 'tokens'))
process.stdout.write(line('held back', heldChars, 'characters'))
process.exit(0)
