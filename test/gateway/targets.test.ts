import { describe, expect, it } from 'vitest'
import { provider as anthropic } from '../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../gateway/providers/openai.ts'
import { provider as compatible } from '../../gateway/providers/openai-compatible.ts'
import type { ResolvedConnection } from '../../gateway/snapshot.ts'
import { speaking, targetsOf } from '../../gateway/targets.ts'
import { connectionOf, memorySnapshot } from '../support/memory-snapshot.ts'

const providers = new Map([openai, compatible, anthropic].map((each) => [each.id, each]))

/** In which format a connection's upstream is asked by a caller of each. */
function asked(connection: ResolvedConnection): string[] {
  const target = targetsOf(memorySnapshot({ connections: [connection] }), providers).find(
    `${connection.name}/m`,
  )
  if (target === undefined) throw new Error('no target')
  const callers = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const
  return callers.map((format) => speaking(target, format).provider.format)
}

describe('the format in which an upstream is asked', () => {
  it.each([
    ['the caller’s own at OpenAI, else Chat Completions', 'openai', undefined, ['chat', 'responses', 'chat']],
    ['Chat Completions at another server', 'openai-compatible', undefined, ['chat', 'chat', 'chat']],
    ['what the connection names', 'openai', ['openai-chat'], ['chat', 'chat', 'chat']],
    [
      'the first that it names, for callers of none of them',
      'openai-compatible',
      ['openai-responses', 'openai-chat'],
      ['chat', 'responses', 'responses'],
    ],
    ['the only one', 'openai-compatible', ['openai-responses'], ['responses', 'responses', 'responses']],
  ] as const)('is %s', (_name, provider, formats, wanted) => {
    const rest = { provider, ...(formats !== undefined && { formats: [...formats] }) }
    expect(asked(connectionOf('server', rest))).toEqual(wanted.map((each) => `openai-${each}`))
  })

  it('is the provider’s only one where it has no other', () => {
    expect(new Set(asked(connectionOf('anthropic')))).toEqual(new Set(['anthropic-messages']))
  })
})
