import { describe, expect, it } from 'vitest'
import { weakenings } from '../../../policies/plan/weakened.ts'
import { policyFile, sideOf, workspaceFile } from './sides.ts'

type Files = Readonly<Record<string, string>>
const weakened = async (before: Files, after: Files) => weakenings(await sideOf(before), await sideOf(after))
const told = async (before: Files, after: Files) =>
  (await weakened(before, after)).map(({ what, why }) => `${what}: ${why}`)

const free = { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] }
const long = { gt: [{ fact: 'request.estimate.outputTokens' }, 4000] }
const longer = { gt: [{ fact: 'request.estimate.outputTokens' }, 8000] }
const deny = { deny: { code: 'NO', http: 403 } }
const constraint = (rules: unknown[], more: object = {}) => policyFile('constraint', 'house', rules, more)
const route = policyFile('route', 'pick', [{ id: 'all', then: { use: { model: 'cheap' } } }])
const only = (where: object) => ({ only: { where } })

describe('a constraint that is weakened', () => {
  it.each([
    ['its file is gone', constraint([{ id: 'a', when: free, then: deny }]), route, 'is gone'],
    [
      'a rule is gone',
      constraint([
        { id: 'a', when: free, then: deny },
        { id: 'b', when: long, then: deny },
      ]),
      constraint([{ id: 'a', when: free, then: deny }]),
      'house/b: is gone: deny NO HTTP 403',
    ],
    [
      'its condition holds for fewer calls',
      constraint([{ id: 'a', when: long, then: deny }]),
      constraint([{ id: 'a', when: longer, then: deny }]),
      'house/a: no longer holds for some calls: deny NO HTTP 403, for example where request.estimate.outputTokens is',
    ],
    [
      'its match lets fewer calls in',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'a', when: free, then: deny }], { match: { route: 'docs' } }),
      'house/a: no longer holds for some calls',
    ],
    [
      'a filter lets more targets through',
      constraint([{ id: 'a', then: only({ locality: 'on-prem' }) }]),
      constraint([{ id: 'a', then: only({ region: 'eu' }) }]),
      'only locality on-prem',
    ],
    [
      'a cap is raised',
      constraint([{ id: 'a', then: { cap: { maxOutputTokens: 1000 } } }]),
      constraint([{ id: 'a', then: { cap: { maxOutputTokens: 2000 } } }]),
      'cap maxOutputTokens ≤ 1,000',
    ],
    [
      'a denial becomes a cap',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'a', when: free, then: { cap: { maxOutputTokens: 1 } } }]),
      'deny NO HTTP 403',
    ],
    [
      'it lets calls pass where it breaks',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'a', when: free, then: deny }], { onError: 'continue' }),
      'house/a: onError deny → continue',
    ],
    [
      'it becomes a route',
      constraint([{ id: 'a', when: free, then: deny }]),
      policyFile('route', 'house', [{ id: 'a', when: free, then: deny }]),
      'house/a: is gone',
    ],
  ])('is named where %s', async (_, before, after, text) => {
    const found = await told(before, after)
    expect(found.join('\n')).toContain(text)
  })

  it('is named where a connection is called something else that constraints filter by', async () => {
    const local = constraint([{ id: 'a', then: only({ locality: 'on-prem' }) }])
    const yaml = workspaceFile.replace('env:OPENAI_API_KEY,', 'env:OPENAI_API_KEY, locality: on-prem,')
    expect(await told(local, { ...local, 'signalbox.yaml': yaml })).toEqual([
      'connection openai: locality cloud → on-prem: constraints filter by it',
    ])
  })

  it('is named where a param that its condition reads has another value', async () => {
    const rules = [
      { id: 'a', when: { gt: [{ fact: 'request.metadata.level', or: 0 }, { param: 'most' }] }, then: deny },
    ]
    const with_ = (value: number) => constraint(rules, { params: { most: { type: 'int', default: value } } })
    expect(await told(with_(3), with_(9))).toEqual(['house/a: param most 3 → 9, which its condition reads'])
  })

  it('is named where its code changed and nobody can tell what that means', async () => {
    const code = (sign: string): Files => ({
      'policies/house.policy.ts': `import { constraint, deny, rule } from '@signalbox/policies'
const odd = (text: string) => text.split('').reverse().join('') ${sign} 'a'
export default constraint('house', { rules: [rule('a', { when: (f) => odd(f.request.route), then: () => deny('ODD') })] })
`,
    })
    expect(await told(code('>'), code('>'))).toEqual([])
    expect(await told(code('>'), code('<'))).toHaveLength(1)
  })

  it('is named with the file and line where it stands', async () => {
    const [found] = await weakened(
      constraint([{ id: 'a', when: long, then: deny }]),
      constraint([{ id: 'a', when: longer, then: deny }]),
    )
    expect(found).toMatchObject({ what: 'house/a', file: 'policies/house.policy.json', line: 1 })
  })
})

describe('a constraint that is as strict as it was', () => {
  it.each([
    [
      'nothing changes',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'a', when: free, then: deny }]),
    ],
    [
      'its rule has another name',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'b', when: free, then: deny }]),
    ],
    [
      'it stands in another file',
      constraint([{ id: 'a', when: free, then: deny }]),
      policyFile('constraint', 'other', [{ id: 'a', when: free, then: deny }]),
    ],
    [
      'it holds for more calls',
      constraint([{ id: 'a', when: longer, then: deny }]),
      constraint([{ id: 'a', when: long, then: deny }]),
    ],
    [
      'a cap becomes a denial',
      constraint([{ id: 'a', when: free, then: { cap: { maxOutputTokens: 9 } } }]),
      constraint([{ id: 'a', when: free, then: deny }]),
    ],
    [
      'one rule becomes two that hold for the same calls together',
      constraint([{ id: 'a', when: { any: [free, long] }, then: deny }]),
      constraint([
        { id: 'a', when: free, then: deny },
        { id: 'b', when: long, then: deny },
      ]),
    ],
    [
      'only a route changes',
      { ...constraint([{ id: 'a', when: free, then: deny }]), ...route },
      constraint([{ id: 'a', when: free, then: deny }]),
    ],
    [
      'another message is told',
      constraint([{ id: 'a', when: free, then: deny }]),
      constraint([{ id: 'a', when: free, then: { deny: { code: 'NO', message: 'Sorry.' } } }]),
    ],
  ])('is not named where %s', async (_, before, after) => {
    expect(await told(before, after)).toEqual([])
  })
})

describe('a guardrail that is weakened', () => {
  const screen = (when: unknown, then: unknown): Files => ({
    ...route,
    'guardrails/pii.guardrail.json': JSON.stringify({
      kind: 'guardrail',
      id: 'pii',
      direction: 'input',
      when,
      then,
    }),
  })
  const hits = (least: number) => ({ gt: [{ fact: 'findings.pii.hits', or: 0 }, least] })
  const block = { block: { code: 'PII' } }

  it.each([
    ['it is gone', screen(hits(0), block), route, 'guardrail pii: is gone'],
    ['it stops fewer texts', screen(hits(0), block), screen(hits(3), block), 'no longer stops some texts'],
    [
      'it only notes what it blocked',
      screen(hits(0), block),
      screen(hits(0), { flag: { code: 'PII' } }),
      'no longer stops some texts',
    ],
  ])('is named where %s', async (_, before, after, text) => {
    expect((await told(before, after)).join('\n')).toContain(text)
  })

  it('is not named where it stops more, or more strictly', async () => {
    expect(await told(screen(hits(3), { flag: { code: 'PII' } }), screen(hits(0), block))).toEqual([])
  })
})
