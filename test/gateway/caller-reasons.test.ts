import { buildVersion, createEngine, type Engine, loadCatalogue } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildLine, chat } from './line.ts'

/** Words that stand in policies and in reasons for operators, and nowhere in a request. */
const internal = [
  'internal',
  'INTERNAL_CODE',
  'sekrit',
  'watchlist',
  'tier-rule',
  'acme',
  'on-prem',
  '.policy.',
]

const deny = (code: string, audience: string, message: string, http: number) => ({
  deny: { code, audience, message, http },
})
const tier = { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] }
const feature = (name: string) => ({ eq: [{ fact: 'request.metadata.feature', or: '' }, name] })
const constraint = (id: string, rules: object[]): [string, string] => [
  `policies/${id}.policy.json`,
  JSON.stringify({ kind: 'constraint', id, rules }),
]
const files = new Map([
  [
    'signalbox.yaml',
    'name: acme\nmetadata: { feature: { type: string }, tier: { enum: [free, paid] } }\nmodels: { smart: [openai/gpt-5.2] }\n',
  ],
  constraint('internal-watchlist', [
    { id: 'sekrit-rule', when: feature('both'), then: deny('INTERNAL_CODE', 'operator', 'sekrit list', 451) },
    { id: 'tier-rule', when: tier, then: deny('INTERNAL_CODE', 'operator', 'sekrit tier', 403) },
  ]),
  constraint('told', [
    {
      id: 'tier-rule-told',
      when: feature('both'),
      then: deny('TIER_BLOCKED', 'caller', 'Not in your plan.', 402),
    },
  ]),
  constraint('on-prem-only', [
    { id: 'tier-rule-local', when: feature('local'), then: { only: { where: { locality: 'on-prem' } } } },
  ]),
  [
    'policies/broken-watchlist.policy.ts',
    `import { constraint, deny, rule } from '@signalbox/policies'
export default constraint('broken-watchlist', { rules: [
  rule('sekrit', {
    when: (f) => f.request.metadata.feature === 'broken',
    then: (f) => { throw new TypeError('sekrit ' + f.request.route) },
  }),
] })
`,
  ],
])

let engine: Engine
const line = buildLine()
beforeAll(async () => {
  const { version, problems } = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck: false })
  if (version === null) throw new Error(JSON.stringify(problems))
  const { digest, script, compiled } = version
  engine = await createEngine()
  const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment: 'development' })
  const { snapshotOf } = line
  line.snapshotOf = () => snapshotOf({ program, workspace: compiled, aliases: compiled.models })
  line.gateway.snapshot = line.snapshotOf()
})
afterAll(() => engine.dispose())

const dialects = [
  ['/v1/chat/completions', { ...chat, model: 'gpt-5.2' }],
  ['/anthropic/v1/messages', { model: 'openai/gpt-5.2', max_tokens: 9, messages: chat.messages }],
] as const

/** All that the caller gets of a refused call: status, headers and body in one text. */
async function refused(path: string, body: object, metadata: object) {
  const headers = { 'x-signalbox-metadata': JSON.stringify(metadata) }
  const response = await line.gateway.send(path, body, { headers })
  const text = `${JSON.stringify([...response.headers])} ${await response.text()}`
  return { status: response.status, text }
}

describe.each(dialects)('a denial on %s', (path, call) => {
  for (const stream of [false, true]) {
    const body = { ...call, stream }
    const how = stream ? 'streamed' : 'plain'

    it(`for operators alone says nothing of why, ${how}`, async () => {
      const { status, text } = await refused(path, body, { tier: 'free' })
      expect(status).toBe(403)
      expect(internal.filter((word) => text.includes(word))).toEqual([])
      const { body: record } = await line.gateway.lastRecord()
      expect(record.decision?.reasons[0]).toMatchObject({ code: 'INTERNAL_CODE', message: 'sekrit tier' })
    })

    it(`for both gives the caller's reason, its status and nothing of the other, ${how}`, async () => {
      const { status, text } = await refused(path, body, { feature: 'both', tier: 'free' })
      expect(status).toBe(402)
      expect(text).toContain('TIER_BLOCKED')
      expect(text).toContain('Not in your plan.')
      expect(internal.filter((word) => text.includes(word))).toEqual([])
    })

    it(`because nothing is left names no rule and no column, ${how}`, async () => {
      const { status, text } = await refused(path, body, { feature: 'local' })
      expect(status).toBe(403)
      expect(text).toContain('NO_ELIGIBLE_MODEL')
      expect(internal.filter((word) => text.includes(word))).toEqual([])
      const { row } = await line.gateway.lastRecord()
      expect(row).toMatchObject({ effect: 'deny', policy: 'on-prem-only', rule: 'tier-rule-local' })
    })

    it(`because a policy broke says only that, ${how}`, async () => {
      const { status, text } = await refused(path, body, { feature: 'broken' })
      expect(status).toBe(503)
      expect(text).toContain('policy_exception')
      expect(internal.filter((word) => text.includes(word))).toEqual([])
      expect((await line.gateway.lastRecord()).row).toMatchObject({
        effect: 'error',
        policy: 'broken-watchlist',
      })
    })
  }
})
