import * as contract from '@signalbox/sdk/contract'
import { compileSchema, violationsOf } from '@signalbox/sdk/node'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'

/** Programs take their own schemas on trust. */
const meta = new Ajv2020()

const operations = Object.values<contract.OperationDefinition>(contract.apiOperations)

describe('operations', () => {
  it('are each named by their key, and each has a path of its own', () => {
    expect(Object.entries(contract.apiOperations).filter(([key, { id }]) => key !== id)).toEqual([])
    const routes = operations.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(routes).size).toBe(routes.length)
  })

  it.each(
    operations.map((operation) => [operation.id, operation] as const),
  )('%s has schemas that compile', (_, operation) => {
    for (const schema of [operation.params, operation.query, operation.body, operation.reply]) {
      if (schema === undefined || schema === 'bytes') continue
      compileSchema(schema)
      expect([meta.validateSchema(schema), meta.errorsText()]).toEqual([true, 'No errors'])
    }
    const parameters = [...operation.path.matchAll(/:(\w+)/g)].map((match) => match[1])
    expect(Object.keys((operation.params as { properties?: object } | undefined)?.properties ?? {})).toEqual(
      parameters,
    )
  })
})

describe('plan trees', () => {
  const decision = (plan: unknown) => ({
    schema: 'decision/1',
    effect: 'allow',
    reasons: [],
    plan,
    caps: {},
    guardrails: { input: [], output: [] },
    obligations: [],
    annotations: {},
  })

  it('nest', () => {
    const plan = {
      strategy: 'ordered',
      of: [{ target: 'a/b' }, { strategy: 'weighted', of: [{ target: 'c/d/e' }] }],
    }
    expect(violationsOf(contract.Decision, decision(plan))).toEqual([])
    const pipeline = { pipeline: [{ id: 'draft', node: { target: 'a/b' }, onFailure: 'fail' }] }
    expect(violationsOf(contract.Decision, decision(pipeline))).toEqual([])
  })

  it.each([
    { target: 'nothing' },
    { strategy: 'lucky', of: [{ target: 'a/b' }] },
    { strategy: 'ordered', of: [] },
    {},
  ])('refuse %j', (plan) => {
    expect(violationsOf(contract.Decision, decision(plan)).length).toBeGreaterThan(0)
  })
})

describe('violations', () => {
  it('are all reported, by the path as a reader writes it', () => {
    const violations = violationsOf(contract.Patch, { maxOutputTokens: 0, colour: 'red' })
    expect(violations).toContainEqual({ path: '', message: 'unknown member "colour"' })
    expect(violations).toContainEqual({ path: 'maxOutputTokens', message: 'must be >= 1' })
  })
})
