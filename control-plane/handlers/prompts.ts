import { renderPrompt } from '@signalbox/policies'
import { type promptOperations, Refusal } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import type { Handlers } from '../handler.ts'
import { findVersion } from '../stores/versions.ts'

/** Prompts of versions, rendered by what renders them in gateways. */
export function createPromptHandlers({ db }: { readonly db: Queryable }): Handlers<typeof promptOperations> {
  return {
    async renderPrompt({ organisationId }, { params, body }) {
      const { number, compiled } = await findVersion(db, organisationId, params.version)
      const prompt = compiled.prompts.find(({ name }) => name === params.prompt)
      if (prompt === undefined) {
        throw new Refusal('not_found', { message: `v${number} has no prompt "${params.prompt}".` })
      }
      if (prompt.messages === undefined) {
        const message = `v${number} was compiled before prompts were rendered: push the workspace again.`
        throw new Refusal('not_found', { message })
      }
      return { version: number, digest: prompt.digest, messages: renderPrompt(prompt, body.variables) }
    },
  }
}
