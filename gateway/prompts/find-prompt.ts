import { type CompiledPrompt, Refusal } from '@signalbox/sdk/contract'
import type { KeptPrompts, ReleasedVersion } from '../snapshot.ts'
import type { PromptWish } from './read-prompt-wish.ts'

/** A prompt and the version that it is of. */
export interface FoundPrompt {
  readonly prompt: CompiledPrompt
  readonly version: number
}

const shownMax = 10

/** What is deployed now, then what was before, newest first. */
function versionsOf({ number, compiled, kept = [] }: ReleasedVersion): readonly KeptPrompts[] {
  return [{ number, prompts: compiled.prompts }, ...kept]
}

/**
 * The prompt that a caller names, in the nearest of his workspaces that has it: of the version that is deployed, or of
 * the one he asks for, if the release keeps it.
 * @throws Refusal `not_found` that says which there are.
 */
export function findCallerPrompt(layers: readonly ReleasedVersion[], wish: PromptWish): FoundPrompt {
  const { name, version, at } = wish
  const had: number[] = []
  for (const layer of [...layers].reverse()) {
    for (const [age, { number, prompts }] of versionsOf(layer).entries()) {
      const prompt = prompts.find((each) => each.name === name)
      if (prompt === undefined) continue
      if (version === undefined ? age === 0 : number === version) return { prompt, version: number }
      had.push(number)
    }
  }
  throw new Refusal('not_found', { message: whyNot(wish, had), param: at.name })
}

function whyNot({ name, version }: PromptWish, had: readonly number[]): string {
  const shown = had
    .slice(0, shownMax)
    .map((number) => `v${number}`)
    .join(', ')
  if (version === undefined || had.length === 0) {
    const last = had.length === 0 ? '' : ` It was in ${shown}, which can be named: ${name}@v${had[0]}.`
    return `There is no prompt "${name}" in the deployed workspaces.${last}`
  }
  return (
    `The prompt "${name}" of v${version} is not kept here; it can be had of ${shown}. ` +
    'A gateway keeps the prompts of the version that is deployed and of those deployed last before it.'
  )
}
