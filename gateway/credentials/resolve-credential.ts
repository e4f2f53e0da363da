import { readFileSync, statSync } from 'node:fs'
import type { Secrets } from './sealed-credentials.ts'

/** A credential file larger than this is not a credential. */
const fileBytesMax = 65_536

/** A credential, or what is missing, in words for a person: `OPENAI_API_KEY`, `file:/run/key`, `secret:NAME`. */
export type ResolvedCredential = { readonly value: string } | { readonly missing: string }
export interface CredentialSources {
  /** The gateway's environment variables. */
  readonly readVariable: (name: string) => string | undefined
  readonly secrets: Secrets
}

function readCredentialFile(path: string): string | undefined {
  try {
    if (statSync(path).size > fileBytesMax) return undefined
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

/** Looks up `env:NAME`, `file:PATH` or `secret:NAME`. White space around a value is not part of it. */
export function resolveCredential(reference: string, sources: CredentialSources): ResolvedCredential {
  const at = reference.indexOf(':')
  const name = reference.slice(at + 1)
  switch (reference.slice(0, at)) {
    case 'env': {
      const value = sources.readVariable(name)
      return value === undefined ? { missing: name } : { value }
    }
    case 'file': {
      const value = readCredentialFile(name)
      return value === undefined ? { missing: reference } : { value }
    }
    default: {
      const value = sources.secrets.get(name)?.trim()
      return value === undefined || value === '' ? { missing: reference } : { value }
    }
  }
}
