import type { GoldenPrompt } from '@signalbox/sdk/contract'
import { RE2JS } from 're2js'

/** @throws Error that says what is wrong with the expression. */
export function checkGolden({ name, expect }: GoldenPrompt): void {
  try {
    if (expect.matches !== undefined) RE2JS.compile(expect.matches)
  } catch (error) {
    throw new Error(`golden prompt ${name}: ${error instanceof Error ? error.message : 'no RE2 expression'}`)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What was expected of an answer and is not so, in words. Never the answer itself. */
export function unmetExpectations(text: string, { expect }: GoldenPrompt): string[] {
  const { contains = [], excludes = [], matches, json, charsMax } = expect
  const lower = text.toLowerCase()
  return [
    ...contains.filter((each) => !lower.includes(each.toLowerCase())).map((each) => `lacks "${each}"`),
    ...excludes.filter((each) => lower.includes(each.toLowerCase())).map((each) => `has "${each}"`),
    ...(matches !== undefined && !RE2JS.compile(matches).matcher(text).find()
      ? [`does not match ${matches}`.slice(0, 300)]
      : []),
    ...(json === true && !isJson(text) ? ['is not JSON'] : []),
    ...(charsMax !== undefined && text.length > charsMax
      ? [`has ${text.length} characters, over ${charsMax}`]
      : []),
  ]
}
