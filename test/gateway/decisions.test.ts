import { describe, expect, it } from 'vitest'
import { allow, deny, programOf } from '../support/memory-snapshot.ts'
import { chatCompletion } from '../support/scripted-upstream.ts'
import { buildLine, chat } from './line.ts'

const line = buildLine()

describe('a decision', () => {
  it('that denies is the answer, in the words of the policy', async () => {
    const reason = {
      code: 'TIER_BLOCKED',
      policy: 'no-free',
      rule: 'free',
      workspace: 'acme',
      audience: 'caller',
    } as const
    const decision = deny([{ ...reason, http: 403, message: 'The free tier is closed.' }])
    line.gateway.snapshot = line.snapshotOf({ decide: () => decision })
    const before = line.upstream.requests.length
    const response = await line.gateway.send('/v1/chat/completions', chat)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({
      error: { code: 'TIER_BLOCKED', message: 'The free tier is closed.' },
    })
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('x-signalbox-version')).toBe('v12')
    expect(line.upstream.requests.length).toBe(before)
    const { row, body } = await line.gateway.lastRecord()
    expect(row).toMatchObject({
      effect: 'deny',
      status: 403,
      errorCode: 'TIER_BLOCKED',
      attempts: 0,
      evidence: 'none',
    })
    expect(body.decision).toEqual(decision)
    expect(response.headers.get('x-signalbox-decision')).toBe(row.id)
  })

  it('that our limits made is a 503 of ours, and recorded as an error', async () => {
    const program = programOf(() => deny([]))
    const failing = {
      ...program,
      evaluate: (input: Parameters<typeof program.evaluate>[0]) => ({
        ...program.evaluate(input),
        failure: { code: 'policy_timeout', policy: 'slow', message: 'out of fuel' } as const,
      }),
    }
    line.gateway.snapshot = line.snapshotOf({ program: failing })
    const response = await line.gateway.send('/v1/chat/completions', chat)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: { code: 'policy_timeout' } })
    expect((await line.gateway.lastRecord()).row).toMatchObject({
      effect: 'error',
      errorCode: 'policy_timeout',
    })
  })

  it('may send the call elsewhere, with changed limits', async () => {
    line.gateway.snapshot = line.snapshotOf({
      decide: () =>
        allow(
          { target: 'openai/gpt-5-mini', patch: { maxOutputTokens: 50 } },
          { caps: { maxOutputTokens: 20 } },
        ),
    })
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const response = await line.gateway.send('/v1/chat/completions', chat)
    expect(response.headers.get('x-signalbox-target')).toBe('openai/gpt-5-mini')
    expect(line.upstream.requests.at(-1)?.json).toMatchObject({
      model: 'gpt-5-mini',
      max_completion_tokens: 20,
    })
  })

  it('reads the metadata that the workspace declares', async () => {
    let seen: unknown
    line.gateway.snapshot = line.snapshotOf({
      workspace: { metadata: { tier: { enum: ['free', 'paid'] } } },
      decide: ({ facts }) => {
        seen = facts.request.metadata
        return allow({ target: 'openai/gpt-5.2' })
      },
    })
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const headers = { 'x-signalbox-metadata': '{"tier":"paid","other":1}', 'x-signalbox-session': 's-1' }
    await line.gateway.send('/v1/chat/completions', { ...chat, metadata: { tier: 'free' } }, { headers })
    expect(seen).toEqual({ tier: 'paid' })
    const { row, body } = await line.gateway.lastRecord()
    expect(row.metadata).toEqual({ tier: 'paid' })
    expect(body.undeclaredMetadata).toEqual(['other'])
    expect(body.facts?.session).toEqual({ id: 's-1' })
    expect(body.facts?.subject.stickyKey).toBe('s-1')
  })
})
