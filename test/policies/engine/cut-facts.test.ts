import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { breakCutRules, pathsOverlap, readsOfMatch } from '../../../policies/evaluation/cut-facts.ts'
import { createEngine, evaluate, type Files, policy, programOf, script, summary } from './programs.ts'

let engine: Awaited<ReturnType<typeof createEngine>>
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const cut = { truncated: ['request.tools.names'] }
const readsTools = { in: ['search', { fact: 'request.tools.names' }] }
const deny = { deny: { code: 'NO_SEARCH' } }

async function decide(files: Files, over: object = cut) {
  const program = await programOf(engine, [{ files }])
  const result = summary(evaluate(program, over))
  program.dispose()
  return result
}

describe('a constraint whose rule reads a fact that was cut', () => {
  const rules = [
    { id: 'no-search', when: readsTools, then: deny },
    { id: 'cap', then: { cap: { maxOutputTokens: 9 } } },
  ]

  it('denies, although the part that is left says nothing', async () => {
    const { effect, failure, policies } = await decide(policy('constraint', 'tools', rules))
    expect({ effect, failure }).toEqual({ effect: 'deny', failure: 'policy_exception' })
    expect(policies).toEqual(['tools failed cap -'])
  })

  it('passes the rule over where its author wrote continue, and still takes the others', async () => {
    const files = policy('constraint', 'tools', rules, { onError: 'continue' })
    const { effect, failure, policies } = await decide(files)
    expect({ effect, failure, policies }).toEqual({
      effect: 'allow',
      failure: undefined,
      policies: ['tools narrowed cap -'],
    })
  })

  it('does not take what the rule said of half a fact', async () => {
    const files = policy('constraint', 'tools', rules, { onError: 'continue' })
    const tools = { count: 90, names: ['search'] }
    expect((await decide(files, { ...cut, request: { tools } })).effect).toBe('allow')
    expect((await decide(files, { request: { tools } })).effect).toBe('deny')
  })

  it('is not concerned by facts that it does not read', async () => {
    expect(
      (await decide(policy('constraint', 'tools', rules), { truncated: ['request.client'] })).effect,
    ).toBe('allow')
  })

  it('counts code that reads all facts as reading each', async () => {
    const text =
      "export default constraint('all', { rules: [rule('x', { when: (f) => JSON.stringify(f).length < 1, then: () => deny('X') })] })"
    expect((await decide(script('all', text))).failure).toBe('policy_exception')
  })
})

describe('a route whose rule reads a fact that was cut', () => {
  const route = (rules: object[], options: object = {}) => policy('route', 'a', rules, options)
  const reading = { id: 'search', when: readsTools, then: { use: { model: 'smart' } } }
  const all = { id: 'all', then: { use: { model: 'cheap' } } }
  const plain = (id: string) => ({ id, then: { use: { model: 'house' } } })

  it('takes its safe route', async () => {
    const { plan, policies } = await decide(route([reading, all], { safeRoute: 'house' }))
    expect(plan).toEqual({ target: 'local/llama3.3' })
    expect(policies).toEqual(['a failed search -'])
  })

  it('ends in a failure without a safe route', async () => {
    expect((await decide(route([reading, all]))).failure).toBe('policy_exception')
  })

  it('leaves the choice to the next route where its author wrote continue', async () => {
    const files = { ...route([reading, all], { onError: 'continue' }), ...policy('route', 'b', [plain('b')]) }
    const { plan, policies } = await decide(files)
    expect(plan).toEqual({ target: 'local/llama3.3' })
    expect(policies).toEqual(['a failed search -', 'b chosen b'])
  })

  it('is not concerned where an earlier rule matched', async () => {
    const { policies } = await decide(route([plain('first'), reading]))
    expect(policies).toEqual(['a chosen first -'])
  })
})

describe('a policy whose match looks at a fact that was cut', () => {
  it('is asked, and breaks, since half a route says nothing of the whole one', async () => {
    const rules = [{ id: 'x', then: deny }]
    const files = policy('constraint', 'secret', rules, { match: { route: '*/secret' } })
    const request = { route: 'docs/secr' }
    expect((await decide(files, { request })).policies).toEqual(['secret notApplicable -'])
    expect((await decide(files, { request, truncated: ['request.route'] })).failure).toBe('policy_exception')
  })

  it('names the facts it looks at', () => {
    expect(readsOfMatch({ operation: 'chat', route: 'a', node: 'b' })).toEqual([
      'request.route',
      'subject.node.path',
    ])
    expect(readsOfMatch(undefined)).toEqual([])
  })
})

describe('pathsOverlap', () => {
  it('holds for a path, what is above it and what is below it', () => {
    expect(pathsOverlap('request.tools', 'request.tools.names')).toBe(true)
    expect(pathsOverlap('request.tools.names', 'request.tools')).toBe(true)
    expect(pathsOverlap('models', 'models')).toBe(true)
    expect(pathsOverlap('*', 'models')).toBe(true)
    expect(pathsOverlap('request.tool', 'request.tools')).toBe(false)
  })
})

describe('breakCutRules', () => {
  it('leaves the answer of a policy that broke the sandbox as it is', () => {
    const trapped = { kind: 'timeout', message: 'out of fuel' } as const
    const answer = { policy: { rules: [] }, trace: '', matched: [], broken: [], trapped }
    expect(breakCutRules(answer as never, cut as never)).toBe(answer)
  })
})
