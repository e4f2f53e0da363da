export type { SandboxLimits } from './limits.ts'
export { createSandbox } from './read-engine.ts'
export type {
  CallOptions,
  ImageParts,
  LoadOptions,
  Sandbox,
  SandboxImage,
  SandboxOutput,
} from './sandbox.ts'
export { SandboxError, type SandboxErrorKind, type ScriptPosition } from './sandbox-error.ts'
