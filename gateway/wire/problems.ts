import { Refusal } from '@signalbox/sdk/contract'
import type { JsonObject } from './json-value.ts'

/** A refusal lists at most this many problems; the rest is counted. */
export const problemsListedMax = 8

/** What a member of a request must be, where it is there and not null. */
export type MemberKind = keyof typeof kinds
const kinds = {
  string: { holds: (value: unknown) => typeof value === 'string', words: 'a string' },
  boolean: { holds: (value: unknown) => typeof value === 'boolean', words: 'true or false' },
  number: { holds: (value: unknown) => typeof value === 'number', words: 'a number' },
  notNegative: {
    holds: (value: unknown) => typeof value === 'number' && value >= 0,
    words: 'a number from 0',
  },
  count: { holds: (value: unknown) => isWhole(value, 0), words: 'a whole number from 0' },
  positive: { holds: (value: unknown) => isWhole(value, 1), words: 'a whole number from 1' },
  object: { holds: isPlainObject, words: 'an object' },
  array: { holds: Array.isArray, words: 'an array' },
  stringOrArray: {
    holds: (value: unknown) => typeof value === 'string' || Array.isArray(value),
    words: 'a string or an array',
  },
  stringOrObject: {
    holds: (value: unknown) => typeof value === 'string' || isPlainObject(value),
    words: 'a string or an object',
  },
} as const

function isWhole(value: unknown, minimum: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum
}
function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Collects what is wrong with a request, to report all of it at once. */
export class Problems {
  readonly #listed: string[] = []
  #count = 0
  #param: string | undefined

  add(path: string, words: string): void {
    this.#count++
    this.#param ??= path
    if (this.#listed.length < problemsListedMax) this.#listed.push(`\`${path}\` ${words}`)
  }

  /** A member that must be of a kind; absent is a problem too. Returns whether it is. */
  require(object: JsonObject, name: string, kind: MemberKind, parent = ''): boolean {
    const value = object[name]
    if (kinds[kind].holds(value)) return true
    const missing = value === undefined ? 'is missing; it must be' : 'must be'
    this.add(`${parent}${name}`, `${missing} ${kinds[kind].words}`)
    return false
  }

  /** Members that must be of their kind where they are there and not null. Others are not looked at. */
  check(object: JsonObject, members: Readonly<Record<string, MemberKind>>, parent = ''): void {
    for (const name in members) {
      const value = object[name]
      const kind = members[name]
      if (value === undefined || value === null || kind === undefined) continue
      if (!kinds[kind].holds(value)) this.add(`${parent}${name}`, `must be ${kinds[kind].words}`)
    }
  }

  /** Throws a Refusal `invalid_request` with all problems, if there are any. */
  throwIfAny(): void {
    if (this.#count === 0) return
    const more = this.#count - this.#listed.length
    const message = `${this.#listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`
    throw new Refusal('invalid_request', { message, ...(this.#param && { param: this.#param }) })
  }
}
