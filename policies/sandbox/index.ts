export type { SandboxLimits } from './limits.ts'
export {
  type CallOptions,
  createSandbox,
  type ImageParts,
  type LoadOptions,
  type Sandbox,
  type SandboxImage,
  type SandboxOutput,
} from './sandbox.ts'
export { SandboxError, type SandboxErrorKind, type ScriptPosition } from './sandbox-error.ts'
