import { type Static, Type } from 'typebox'
import { MetadataValue } from './facts.ts'

/** Value of a param. */
export const ParamValue = Type.Union([
  ...MetadataValue.anyOf,
  Type.Unsafe<readonly string[]>(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 })),
])
export type ParamValue = Static<typeof ParamValue>
