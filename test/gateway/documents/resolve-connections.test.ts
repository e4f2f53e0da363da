import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { Secrets } from '../../../gateway/credentials/sealed-credentials.ts'
import { resolveConnections } from '../../../gateway/documents/resolve-connections.ts'
import type { ReleasedVersion } from '../../../gateway/snapshot.ts'
import { compiledWorkspace } from '../../support/signed-documents.ts'

const version = (change: Partial<CompiledWorkspace>): ReleasedVersion => ({
  digest: `sha256:${'a'.repeat(64)}`,
  number: 1,
  compiled: compiledWorkspace(change),
  nodePath: [],
  nodeId: 'n',
})
const sources = (variables: Readonly<Record<string, string>> = {}, secrets: Record<string, string> = {}) => ({
  readVariable: (name: string) => variables[name],
  secrets: new Secrets(secrets),
})

describe('connections', () => {
  it('of native providers answer from the simulated provider in development while their key is missing', () => {
    const resolved = resolveConnections([version({})], 'development', sources({ ANTHROPIC_API_KEY: 'k' }))
    expect(resolved.get('openai')).toMatchObject({ status: 'simulated', missing: 'OPENAI_API_KEY' })
    expect(resolved.get('google')).toMatchObject({ status: 'simulated', missing: 'GEMINI_API_KEY' })
    expect(resolved.get('anthropic')).toMatchObject({
      status: 'available',
      credential: 'k',
      missing: undefined,
    })
  })

  it('of native providers are unavailable elsewhere, with the missing variable named', () => {
    const resolved = resolveConnections([version({})], 'production', sources())
    expect(resolved.get('openai')).toMatchObject({ status: 'unavailable', missing: 'OPENAI_API_KEY' })
  })

  it('with an address of their own are never simulated', () => {
    const openai = { provider: 'openai', baseUrl: 'http://127.0.0.1:9/v1', credential: 'env:OPENAI_API_KEY' }
    const resolved = resolveConnections([version({ connections: { openai } })], 'development', sources())
    expect(resolved.get('openai')).toMatchObject({ status: 'unavailable', missing: 'OPENAI_API_KEY' })
  })

  it('say what their server speaks where it is declared', () => {
    const local = {
      provider: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:9/v1',
      formats: ['openai-responses', 'openai-chat'] as ('openai-chat' | 'openai-responses')[],
    }
    const resolved = resolveConnections([version({ connections: { local } })], 'production', sources())
    expect(resolved.get('local')).toMatchObject({ formats: ['openai-responses', 'openai-chat'] })
    expect(resolved.get('openai')).not.toHaveProperty('formats')
  })

  it('that declare no credential are available', () => {
    const local = {
      provider: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:1/v1',
      locality: 'on-prem' as const,
    }
    const resolved = resolveConnections([version({ connections: { local } })], 'production', sources())
    expect(resolved.get('local')).toMatchObject({
      status: 'available',
      locality: 'on-prem',
      missing: undefined,
    })
  })

  it('take a secret of their own name before the variable that is declared, not before a declared secret', () => {
    const connections = { main: { provider: 'openai', credential: 'secret:other' } }
    const resolved = resolveConnections(
      [version({ connections })],
      'production',
      sources({ OPENAI_API_KEY: 'variable' }, { openai: 'stored', main: 'stored', other: 'declared' }),
    )
    expect(resolved.get('openai')).toMatchObject({ status: 'available', credential: 'stored' })
    expect(resolved.get('main')).toMatchObject({ status: 'available', credential: 'declared' })
  })

  it('take the overrides of their environment, and of no other', () => {
    const compiled = {
      connections: { main: { provider: 'openai', credential: 'env:MAIN' } },
      environments: {
        production: {
          connections: { main: { baseUrl: 'https://eu.example/v1', region: 'eu' } },
          models: {},
          params: {},
        },
      },
    }
    const variables = sources({ MAIN: 'k' })
    const production = resolveConnections([version(compiled)], 'production', variables).get('main')
    expect(production).toMatchObject({ baseUrl: 'https://eu.example/v1', region: 'eu', credential: 'k' })
    const staging = resolveConnections([version(compiled)], 'staging', variables).get('main')
    expect(staging?.baseUrl).toBeUndefined()
  })

  it('take sealed secrets by name, and say which one is missing', () => {
    const connections = {
      a: { provider: 'anthropic', credential: 'secret:anthropic-prod' },
      b: { provider: 'anthropic', credential: 'secret:other' },
    }
    const resolved = resolveConnections(
      [version({ connections })],
      'production',
      sources({}, { 'anthropic-prod': 's' }),
    )
    expect(resolved.get('a')).toMatchObject({ status: 'available', credential: 's' })
    expect(resolved.get('b')).toMatchObject({ status: 'unavailable', missing: 'secret:other' })
  })

  it('prefer the secret that the control plane holds under their own name to a variable or a file', () => {
    const connections = {
      main: { provider: 'openai', credential: 'env:MAIN' },
      local: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' },
      other: { provider: 'openai', credential: 'secret:shared' },
    }
    const secrets = {
      main: 'stored',
      local: 'stored too',
      other: 'not this one',
      shared: 'this one',
      openai: 'native',
    }
    const resolved = resolveConnections(
      [version({ connections })],
      'development',
      sources({ MAIN: 'v' }, secrets),
    )
    expect(resolved.get('main')).toMatchObject({ status: 'available', credential: 'stored' })
    expect(resolved.get('local')?.credential).toBe('stored too')
    expect(resolved.get('other')?.credential).toBe('this one')
    expect(resolved.get('openai')).toMatchObject({ status: 'available', credential: 'native' })
  })

  it('of a team cannot take the name of one nearer to the root', () => {
    const root = version({ connections: { shared: { provider: 'openai', baseUrl: 'https://root/v1' } } })
    const team = version({ connections: { shared: { provider: 'openai', baseUrl: 'https://team/v1' } } })
    const resolved = resolveConnections([root, team], 'production', sources())
    expect(resolved.get('shared')?.baseUrl).toBe('https://root/v1')
  })
})
