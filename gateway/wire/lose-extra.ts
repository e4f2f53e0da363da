import type { ChatPayload } from '../call.ts'
import { isObject } from './json-value.ts'
import { type Losses, namePath } from './losses.ts'

/** What a format does with members of the other one that it has no place for. */
export interface ExtraRules {
  /** Names whose loss changes what the call means. */
  readonly meaning: ReadonlySet<string>
  /** Whether a member asks for nothing but the default, so that nothing is lost with it. */
  isDefault(name: string, value: unknown): boolean
}

/** Names every member that is left over, or refuses the call for it. */
export function loseExtra(payload: ChatPayload, rules: ExtraRules, losses: Losses): void {
  for (const [path, value] of payload.extra) {
    if (isEmpty(value)) continue
    const name = namePath(path)
    if (rules.isDefault(name, value)) continue
    if (rules.meaning.has(name)) losses.dropMeaning(path)
    else losses.drop(path)
  }
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}
