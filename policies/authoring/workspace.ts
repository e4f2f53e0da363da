/*
 * Names of a workspace. Here they are any text; `signalbox check` and `signalbox generate` put the names of the
 * workspace at hand in the place of this file.
 */
import type { PromptValues } from './use.ts'

export type AliasName = string
/** An alias, or a target of a connection. */
export type ModelName = string
/** `connection/model`. */
export type TargetName = string
export type ConnectionName = string
export type InputGuardrailName = string
export type OutputGuardrailName = string
/** What `signalbox.yaml` declares under `metadata`. */
export interface Metadata {
  readonly [name: string]: string | number | boolean | undefined
}
/** Variables of each prompt, by its name. */
export interface Prompts {
  readonly [name: string]: { readonly [variable: string]: PromptValues[string] }
}
export type PromptName = Extract<keyof Prompts, string>
