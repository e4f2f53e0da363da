import { type Effect, Facts } from '@signalbox/sdk/contract'
import { expect, expectTypeOf, test } from 'vitest'
import type { Effect as AuthoringEffect } from '../../../policies/authoring/effects.ts'
import type { Facts as AuthoringFacts } from '../../../policies/authoring/facts.generated.ts'

interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly description?: string
}

function literals(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))).join(' | ')
}

/** TypeScript for a schema of the facts: what authors see when they type a dot. */
function declarationOf(schema: Schema, indent: string): string {
  if (schema.const !== undefined) return literals([schema.const])
  if (schema.enum !== undefined) return literals(schema.enum)
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => declarationOf(each, indent)).join(' | ')
  if (schema.type === 'array') {
    const items = declarationOf(schema.items ?? {}, indent)
    return `readonly ${items.includes(' ') ? `(${items})` : items}[]`
  }
  if (schema.type !== 'object') return schema.type === 'integer' ? 'number' : (schema.type ?? 'unknown')
  const inner = `${indent}  `
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const comment = property.description === undefined ? '' : `${inner}/** ${property.description} */\n`
    const mark = schema.required?.includes(name) ? '' : '?'
    return `${comment}${inner}readonly ${name}${mark}: ${declarationOf(property, inner)}\n`
  })
  for (const property of Object.values(schema.patternProperties ?? {})) {
    lines.push(`${inner}readonly [name: string]: ${declarationOf(property, inner)} | undefined\n`)
  }
  return `{\n${lines.join('')}${indent}}`
}

test('the types that authors see are generated from the facts schema', async () => {
  const schema: Schema = JSON.parse(JSON.stringify(Facts))
  const text = [
    '// Generated from sdk/contract/facts.ts by test/policies/compile/authoring-facts.test.ts (vitest -u).',
    `/** ${schema.description} */`,
    `export interface Facts ${declarationOf(schema, '')}`,
    '',
  ].join('\n')
  await expect(text).toMatchFileSnapshot('../../../policies/authoring/facts.generated.ts')
})

test('effects in TypeScript are the effects of the JSON form', () => {
  type Json = Exclude<Effect, { use: unknown } | { plan: unknown }>
  type Written = Exclude<AuthoringEffect, { use: unknown } | { plan: unknown }>
  expectTypeOf<Written['deny' & keyof Written]>().toEqualTypeOf<Json['deny' & keyof Json]>()
  const fromJson = (effect: Json): Written => effect
  expect(fromJson({ continue: true })).toEqual({ continue: true })
})

test('facts of a call fit the types that authors see', () => {
  const shown = (facts: Facts): AuthoringFacts => facts
  expect(shown).toBeTypeOf('function')
})
