import { Decision, Facts } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { isPathOf, parsePath, putAt, valueAt } from '../../../policies/cases/document-path.ts'

const isFact = (path: string): boolean => isPathOf(Facts, parsePath(path) ?? ['?'])
const isDecision = (path: string): boolean => isPathOf(Decision, parsePath(path) ?? ['?'])

describe('paths', () => {
  it('are read with dots and with brackets', () => {
    expect(parsePath('plan.of[0].target')).toEqual(['plan', 'of', '0', 'target'])
    expect(parsePath('plan.of.0.target')).toEqual(['plan', 'of', '0', 'target'])
    for (const path of ['', 'a..b', 'a[x]', 'a b', '.a']) expect(parsePath(path)).toBeUndefined()
  })

  it('are paths of the facts only where facts can have something there', () => {
    for (const path of [
      'request.model.tier',
      'models.0.health.state',
      'request.metadata.x',
      'data.detectors.pii.hits',
    ]) {
      expect(isFact(path), path).toBe(true)
    }
    for (const path of ['request.modle', 'models.first', 'request.model.tier.x', 'toString', '__proto__.x']) {
      expect(isFact(path), path).toBe(false)
    }
  })

  it('lead into plans of any depth', () => {
    for (const path of [
      'plan.target',
      'plan.of[1].of[0].target',
      'plan.pipeline[0].node.target',
      'annotations.a',
    ]) {
      expect(isDecision(path), path).toBe(true)
    }
    expect(isDecision('plan.targte')).toBe(false)
  })

  it('are followed through own members only', () => {
    expect(valueAt({ a: [{ b: 1 }] }, ['a', '0', 'b'])).toBe(1)
    expect(valueAt({ a: 1 }, ['a', 'b'])).toBeUndefined()
    expect(valueAt({}, ['constructor'])).toBeUndefined()
  })

  it('are made where they are missing, and removed by null', () => {
    const document = { a: { keep: 1, drop: 2 } }
    putAt(document, ['a', 'drop'], null)
    putAt(document, ['b', '0', 'c'], 'x')
    expect(document).toEqual({ a: { keep: 1 }, b: [{ c: 'x' }] })
    putAt(document, ['__proto__', 'polluted'], true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
