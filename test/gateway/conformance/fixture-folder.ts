import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
/** `UPDATE=1` writes what is wanted anew; the diff is the review. */
const updates = process.env.UPDATE === '1'

/** One situation: a folder with what comes in and what is wanted. */
export class Situation {
  readonly name: string
  readonly #folder: string

  constructor(folder: string, name: string) {
    this.name = name
    this.#folder = folder
  }

  json(file: string): unknown {
    const text = this.text(file)
    return text === undefined ? undefined : JSON.parse(text.toString('utf8'))
  }

  text(file: string): Buffer | undefined {
    const path = join(this.#folder, file)
    return existsSync(path) ? readFileSync(path) : undefined
  }

  /** Compares with a wanted file, which must be there. */
  expectJson(file: string, actual: unknown): void {
    const plain: unknown = JSON.parse(JSON.stringify(actual))
    if (updates) writeFileSync(join(this.#folder, file), `${JSON.stringify(plain, null, 2)}\n`)
    expect(plain, `${this.name}/${file}`).toEqual(this.json(file))
  }

  expectText(file: string, actual: string): void {
    if (updates) writeFileSync(join(this.#folder, file), actual)
    expect(actual, `${this.name}/${file}`).toBe(this.text(file)?.toString('utf8'))
  }
}

/** The situations of one plugin: `providers`, `openai` → every folder there. */
export function situations(kind: 'providers' | 'dialects', id: string): Situation[] {
  const folder = join(fixtures, kind, id)
  return readdirSync(folder)
    .sort()
    .map((name) => new Situation(join(folder, name), name))
}

/** Ids that have fixtures. */
export function fixtureIds(kind: 'providers' | 'dialects'): string[] {
  return readdirSync(join(fixtures, kind)).sort()
}
/** Files of a plugin folder: an id each. */
export function pluginIds(kind: 'providers' | 'dialects'): string[] {
  const folder = fileURLToPath(new URL(`../../../gateway/${kind}`, import.meta.url))
  return readdirSync(folder)
    .map((file) => file.replace(/\.ts$/, ''))
    .sort()
}
