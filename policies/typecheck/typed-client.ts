import { type TypedNames, typeLines } from './workspace-types.ts'

const sdkModule = '@signalbox/sdk'

/**
 * Source of a thin client for applications that call models by the names of one workspace: `@signalbox/sdk` with
 * typed models, metadata and prompts.
 */
export function typedClient(names: TypedNames): string {
  return `// Client of the workspace "${names.workspace.replace(/[^\w.-]/g, '')}". Written by \`signalbox generate\`.
import {
  type ChatOptions,
  type ChatReply,
  type ChatRequest,
  type ChatStream,
  type Decided,
  GatewayClient,
  type GatewayClientOptions,
} from ${JSON.stringify(sdkModule)}

${typeLines(names).join('\n')}
/** A chat call; its model is an alias of the workspace, or a target. A prompt may bring its own. */
export type Request = ChatRequest & { readonly model?: ModelName }
export type Options = Omit<ChatOptions, 'metadata' | 'prompt'> & {
  readonly metadata?: Metadata
  /** A prompt of the workspace, and its variables. */
  readonly prompt?: {
    [Name in PromptName]: { readonly name: Name; readonly version?: number; readonly variables: Prompts[Name] }
  }[PromptName]
}
/** Calls of this workspace. */
export interface WorkspaceClient {
  /** A whole answer. */
  chat(request: Request, options?: Options): Promise<ChatReply & { decided: Decided }>
  /** An answer as it is written. */
  chatStream(request: Request, options?: Options): Promise<ChatStream>
}

/** \`url\`: origin of the gateway; \`key\`: \`sb_…\`. */
export function createWorkspaceClient(options: GatewayClientOptions): WorkspaceClient {
  return new GatewayClient(options)
}
`
}
