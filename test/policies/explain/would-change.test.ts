import type { ExplainedVersion } from '@signalbox/policies'
import type { Explanation } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Files, policy, script } from '../engine/programs.ts'
import { createEngine, explain, type Recorded, versionOf } from './recorded-calls.ts'

let engine: Awaited<ReturnType<typeof createEngine>>
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const deny = { deny: { code: 'NO' } }
const lines = ({ wouldChangeIf }: Explanation) =>
  wouldChangeIf.changes.map(
    ({ shown, outcome }) => `${shown} → ${outcome.effect} ${outcome.code ?? outcome.target}`,
  )

async function changesOf(files: Files, call: Recorded = {}): Promise<Explanation> {
  const version: ExplainedVersion = await versionOf(files)
  return explain(engine, [version], call)
}

/** What flips the only condition of a constraint that denies. */
async function flipsOf(when: unknown, call: Recorded = {}): Promise<string[]> {
  return lines(await changesOf(policy('constraint', 'c', [{ id: 'r', when, then: deny }]), call))
}

describe('would change if', () => {
  it('takes another value of a property that has few', async () => {
    const when = { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] }
    const facts = { request: { metadata: { tier: 'free' } } }
    expect(await flipsOf(when, { facts } as Recorded)).toEqual([
      'request.metadata.tier ≠ "free" (tried "paid") → allow openai/gpt-5-mini',
    ])
  })

  it('does not try what is no fact', async () => {
    const when = { lt: [{ fact: 'request.estimate.outputTokens' }, 0] }
    const { wouldChangeIf } = await changesOf(policy('constraint', 'c', [{ id: 'r', when, then: deny }]))
    expect(wouldChangeIf).toMatchObject({ changes: [], untried: 1 })
  })

  it('moves the share of a rollout to where this caller stands', async () => {
    const files = script(
      'canary',
      `const share = param.int('share', { default: 50_000, min: 0, max: 1_000_000 })
export default route('canary', { rules: [
  rule('new', { when: (f) => inBucket(f, { rollout: 'r', ppm: share() }), then: () => use('smart') }),
  rule('rest', { then: () => use('cheap') }),
] })`,
    )
    const facts = { subject: { stickyKey: 'me' } }
    const explained = await changesOf(files, { facts } as Recorded)
    expect(lines(explained)).toEqual(['share > 301,209 (tried 301,210) → allow anthropic/claude-opus-4-8'])
    expect(explained.wouldChangeIf.changes[0]).toMatchObject({
      policy: 'canary',
      rule: 'new',
      was: false,
      set: [{ param: 'share', from: 50_000, to: 301_210 }],
      outcome: { policy: 'canary', rule: 'new' },
    })
  })

  it('finds another caller where the share is written in the policy', async () => {
    const when = { bucket: { rollout: 'r', ppm: 50_000 } }
    const facts = { subject: { stickyKey: 'me' } }
    const [line] = await flipsOf(when, { facts } as Recorded)
    expect(line).toMatch(
      /^subject.stickyKey of a caller inside the first 50,000 ppm of "r" \(tried "caller-\d+"\)/,
    )
  })

  it('counts what changes nothing, and what is code', async () => {
    const files = {
      ...policy('constraint', 'c', [
        { id: 'r', when: { all: [{ fact: 'request.stream' }, { fact: 'degraded' }] }, then: deny },
      ]),
      ...script(
        'd',
        "export default route('d', { rules: [rule('x', { when: (f) => f.request.tools.names.join() > 'z', then: () => use('house') })] })",
      ),
    }
    expect((await changesOf(files)).wouldChangeIf).toMatchObject({
      changes: [],
      withoutEffect: 1,
      untried: 1,
      why: '1 cannot be read as data',
    })
  })

  it('shows the failure that a change would lead into', async () => {
    const files = script(
      'f',
      "export default constraint('f', { rules: [rule('x', { when: (f) => f.request.stream, then: (f) => { throw new TypeError(f.request.route + 'broken') } })] })",
    )
    const { wouldChangeIf } = await changesOf(files)
    expect(wouldChangeIf.changes[0]?.outcome).toMatchObject({ effect: 'error', code: 'policy_exception' })
    expect(wouldChangeIf.changes[0]?.outcome.text).toContain('broken')
  })

  it('names the rules that would leave nothing', async () => {
    const filter = { only: { where: { locality: 'on-prem' } } }
    const files = {
      ...policy('constraint', 'local', [{ id: 'loc', when: { fact: 'request.stream' }, then: filter }]),
      ...policy('route', 'a', [{ id: 'a', then: { use: { model: 'smart' } } }]),
    }
    const { wouldChangeIf } = await changesOf(files)
    expect(wouldChangeIf.changes[0]?.outcome.text).toBe(
      'DENY NO_ELIGIBLE_MODEL: nothing is left after MODEL_NOT_ALLOWED by acme/local, rule loc',
    )
  })

  it('stops at a bounded number of evaluations and says so', async () => {
    const rules = Array.from({ length: 40 }, (_, index) => ({
      id: `r${index}`,
      when: {
        any: [{ gt: [{ fact: 'request.bytes' }, 10_000 + index] }, { gt: [{ fact: 'nowMs' }, 9e15 - index] }],
      },
      then: deny,
    }))
    const { wouldChangeIf } = await changesOf(policy('constraint', 'many', rules))
    expect(wouldChangeIf.why).toBe('the limit of 64 evaluations was reached')
    expect(wouldChangeIf.untried).toBeGreaterThan(0)
  })
})
