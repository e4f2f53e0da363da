import type { Dialect } from './dialect.ts'

function neverTranslated(): never {
  throw new TypeError('an operation that is passed on has no answer in canonical form')
}

/** The half of a dialect that a format without translation has: its answers pass as they are. */
export const nativeOnly: Pick<Dialect, 'encodeReply' | 'createEncoder'> = {
  encodeReply: neverTranslated,
  createEncoder: neverTranslated,
}
