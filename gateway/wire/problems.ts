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
  share: { holds: (value: unknown) => isWithin(value, 0, 1), words: 'a number from 0 to 1' },
  upTo2: { holds: (value: unknown) => isWithin(value, 0, 2), words: 'a number from 0 to 2' },
  penalty: { holds: (value: unknown) => isWithin(value, -2, 2), words: 'a number from -2 to 2' },
  count: { holds: (value: unknown) => isWhole(value, 0), words: 'a whole number from 0' },
  positive: { holds: (value: unknown) => isWhole(value, 1), words: 'a whole number from 1' },
  object: { holds: isPlainObject, words: 'an object' },
  array: { holds: Array.isArray, words: 'an array' },
  strings: { holds: areStrings, words: 'an array of strings' },
  stringOrStrings: {
    holds: (value: unknown) => typeof value === 'string' || areStrings(value),
    words: 'a string or an array of strings',
  },
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
function isWithin(value: unknown, from: number, to: number): boolean {
  return typeof value === 'number' && value >= from && value <= to
}
function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
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

  /** A member that must be one of some words, where it is there and a string. */
  oneOf(object: JsonObject, name: string, words: readonly string[], parent = ''): void {
    const value = object[name]
    if (typeof value === 'string' && !words.includes(value))
      this.add(`${parent}${name}`, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
  }

  /** Throws a Refusal `invalid_request` with all problems, if there are any. */
  throwIfAny(): void {
    if (this.#count === 0) return
    const more = this.#count - this.#listed.length
    const message = `${this.#listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`
    throw new Refusal('invalid_request', { message, ...(this.#param && { param: this.#param }) })
  }
}
