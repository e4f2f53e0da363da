import { CallRecord, type Facts, type StateFactsRule } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { recordedFactsOf, withRecordedFacts } from '../../gateway/recorded-facts.ts'
import { callRecord } from '../support/call-records.ts'
import { memorySnapshot } from '../support/memory-snapshot.ts'

const nodeId = 'team-1'
const keyId = 'key-1'

function trailWith(rules: readonly StateFactsRule[], metadata: CallRecord['row']['metadata'] = {}) {
  const snapshot = memorySnapshot()
  const nodes = new Map([
    ['root', { id: 'root', parentId: null, kind: 'organisation', name: 'default' } as const],
    [nodeId, { id: nodeId, parentId: 'root', kind: 'team', name: 'search' } as const],
  ])
  const state = { ...snapshot.state, factsRules: [...rules] }
  const versions = snapshot.versions.map((version) => ({
    ...version,
    compiled: {
      ...version.compiled,
      metadata: { tier: { enum: ['free', 'paid'] }, email: { type: 'string' as const } },
    },
  }))
  return { snapshot: { ...snapshot, nodes, state, versions }, keyId, nodeId, metadata }
}
const ruleOf = (kind: 'environment' | 'node' | 'key', id: string, rest: Partial<StateFactsRule> = {}) => ({
  owner: { kind, id },
  class: 'masked' as const,
  ...rest,
})
/** A record that names its user in every place where it can. */
function spoken(): CallRecord {
  const { row, body } = callRecord({ sequence: 1, metadata: { tier: 'free', email: 'ada@example.com' } })
  const known = body.facts as Facts
  const reason = { code: 'X', policy: 'p', rule: 'r', workspace: 'w', audience: 'caller' } as const
  return {
    row,
    body: {
      ...body,
      facts: {
        ...known,
        request: { ...known.request, metadata: row.metadata },
        subject: { ...known.subject, userId: 'u-4711', stickyKey: 'u-4711' },
        session: { id: 'session-9' },
      },
      ...(body.decision !== undefined && {
        decision: {
          ...body.decision,
          reasons: [{ ...reason, message: 'not for u-4711' }],
          annotations: { who: 'ada@example.com', what: 'ci' },
          obligations: [{ type: 'tag', args: { session: 'of session-9' } }],
        },
      }),
      policies: [
        {
          ...{ id: 'p', kind: 'route', workspace: 'w', rule: null, outcome: 'failed', trace: '' },
          error: { kind: 'exception', message: 'no plan for ada@example.com' },
        } as const,
      ],
      error: { code: 'x', message: 'u-4711 is blocked', detail: 'session-9' },
    },
  }
}

describe('the facts of a record', () => {
  it('are all there where no rule is on the path of the call', () => {
    expect(recordedFactsOf(trailWith([]))).toBeUndefined()
    expect(recordedFactsOf(trailWith([ruleOf('node', 'other'), ruleOf('key', 'other')]))).toBeUndefined()
  })

  it.each(['environment', 'node', 'key'] as const)('are masked by a rule of the %s', (kind) => {
    const trail = trailWith([])
    const id = { environment: trail.snapshot.release.environment, node: 'root', key: keyId }[kind]
    expect(recordedFactsOf(trailWith([ruleOf(kind, id)]))).toMatchObject({ class: 'masked' })
  })

  it('are as few as the strictest rule says, and masks add up', () => {
    const masks = [
      ruleOf('node', nodeId, { mask: ['session'] }),
      ruleOf('key', keyId, { mask: ['request.client'] }),
    ]
    expect(recordedFactsOf(trailWith(masks))).toEqual({
      class: 'masked',
      paths: new Set(['session', 'subject.stickyKey', 'request.client']),
    })
    const digest = ruleOf('node', 'root', { class: 'digest' })
    expect(recordedFactsOf(trailWith([...masks, digest]))?.class).toBe('digest')
  })

  it('leave out who somebody is wherever it stands, and keep metadata whose values are listed', () => {
    const record = spoken()
    const may = recordedFactsOf(trailWith([ruleOf('key', keyId)], record.row.metadata))
    const { row, body } = withRecordedFacts(record, may ?? { class: 'digest', paths: new Set() })
    expect(JSON.stringify({ row, body })).not.toMatch(/4711|ada@|session-9|openai-node/)
    expect(row).toMatchObject({ metadata: { tier: 'free' }, factsDigest: record.row.factsDigest })
    expect(body).toMatchObject({
      factsClass: 'masked',
      facts: { request: { metadata: { tier: 'free' } }, subject: { keyName: '' } },
      decision: { reasons: [{ message: 'not for ‹masked›' }], annotations: { who: '‹masked›' } },
    })
    expect(body.masked).toEqual([
      'request.client',
      'request.metadata.email',
      'session',
      'subject.keyName',
      'subject.stickyKey',
      'subject.userId',
    ])
    expect(fits(CallRecord, { row, body })).toBe(true)
    expect(record.body.facts?.subject.userId).toBe('u-4711')
  })

  it('name as masked only what was there, so that a call without it still replays', () => {
    const { body } = withRecordedFacts(callRecord({ sequence: 1 }), {
      class: 'masked',
      paths: new Set(['subject.userId', 'session']),
    })
    expect(body).toMatchObject({ factsClass: 'full', facts: { subject: { keyName: 'ci' } } })
    expect(body).not.toHaveProperty('masked')
  })

  it('are not there where only their digest is kept', () => {
    const { row, body } = withRecordedFacts(spoken(), { class: 'digest', paths: new Set() })
    expect(body).not.toHaveProperty('facts')
    expect(body.factsClass).toBe('digest')
    expect(row.metadata).toEqual({})
    expect(JSON.stringify({ row, body })).not.toMatch(/4711|ada@|session-9|openai-node/)
    expect(fits(CallRecord, { row, body })).toBe(true)
  })

  it('are not told by what guardrails noted, nor where they are numbers', () => {
    const { row, body } = spoken()
    const metadata = { staff: 4_712_009 }
    const facts = body.facts as Facts
    const verdict: CallRecord['body']['verdicts'][number] = {
      guardrail: 'g',
      workspace: 'w',
      direction: 'input',
      level: 'audit',
      verdict: 'pass',
      action: 'none',
      hits: 0,
      scannedChars: 1,
      deliveredChars: 1,
      fuel: 0,
      startMs: 0,
      durationMs: 0,
      annotations: { of: 'u-4711', staff: 'number 4712009' },
    }
    const record = {
      row: { ...row, metadata },
      body: {
        ...{ ...body, verdicts: [verdict] },
        facts: { ...facts, request: { ...facts.request, metadata } },
      },
    }
    const paths = new Set(['subject.userId', 'request.metadata.staff'])
    for (const kind of ['masked', 'digest'] as const) {
      const kept = withRecordedFacts(record, { class: kind, paths })
      expect(kept.body.verdicts[0]?.annotations).toEqual({ of: '‹masked›', staff: 'number ‹masked›' })
      expect(fits(CallRecord, kept)).toBe(true)
    }
  })

  it('are not told where one rule masks them and another keeps no facts at all', () => {
    const { row, body } = spoken()
    const facts = body.facts as Facts
    const error = { code: 'x', message: 'no way for merger-plans' }
    const record = {
      row,
      body: { ...body, error, facts: { ...facts, request: { ...facts.request, route: 'merger-plans' } } },
    }
    const rules = [
      ruleOf('node', nodeId, { mask: ['request.route'] }),
      ruleOf('node', 'root', { class: 'digest' }),
    ]
    const may = recordedFactsOf(trailWith(rules))
    expect(may && withRecordedFacts(record, may).body.error?.message).toBe('no way for ‹masked›')
  })

  it('lose all metadata where more is masked than a record can name', () => {
    const metadata = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`m${at}`, `value ${at}`]))
    const { row, body } = callRecord({ sequence: 1, metadata })
    const facts = body.facts as Facts
    const record = { row, body: { ...body, facts: { ...facts, request: { ...facts.request, metadata } } } }
    const paths = new Set(Object.keys(metadata).map((name) => `request.metadata.${name}`))
    const masked = withRecordedFacts(record, { class: 'masked', paths })
    expect(masked.body).toMatchObject({ masked: ['request.metadata'], facts: { request: { metadata: {} } } })
    expect(fits(CallRecord, masked)).toBe(true)
  })
})
