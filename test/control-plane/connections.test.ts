import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import { expect, test } from 'vitest'
import { combineStates, declaredConnections, secretNameFor } from '../../control-plane/connections.ts'

function workspace(overrides: Partial<CompiledWorkspace>): CompiledWorkspace {
  return {
    schema: 'compiled/1',
    name: 'acme',
    node: '',
    connections: {},
    models: {},
    metadata: {},
    catalogue: {},
    environments: {},
    policies: [],
    guardrails: [],
    prompts: [],
    reads: [],
    targets: [],
    safeRoutes: {},
    ...overrides,
  }
}

test('native connections are there without a workspace', () => {
  const found = declaredConnections([], 'development')
  expect([...found.keys()]).toEqual(['openai', 'anthropic', 'google'])
  expect(found.get('openai')).toEqual({
    provider: 'openai',
    credential: 'env:OPENAI_API_KEY',
    source: 'native',
  })
})

test('a workspace replaces a native connection and adds its own; an environment overrides members', () => {
  const found = declaredConnections(
    [
      workspace({
        connections: {
          openai: { provider: 'openai', credential: 'secret:openai-prod' },
          local: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:11434/v1', locality: 'on-prem' },
        },
        environments: {
          production: {
            connections: { openai: { baseUrl: 'https://eu.api.openai.com/v1' } },
            models: {},
            params: {},
          },
        },
      }),
    ],
    'production',
  )
  expect(found.get('openai')).toEqual({
    provider: 'openai',
    credential: 'secret:openai-prod',
    baseUrl: 'https://eu.api.openai.com/v1',
    source: 'workspace',
  })
  expect(found.get('local')?.locality).toBe('on-prem')
})

test('of two workspaces with one name the nearer to the root has it', () => {
  const team = workspace({
    name: 'team',
    node: 'search/ranking',
    connections: { shared: { provider: 'openai', region: 'team' } },
  })
  const root = workspace({ name: 'root', connections: { shared: { provider: 'openai', region: 'root' } } })
  expect(declaredConnections([root, team], 'x').get('shared')?.region).toBe('root')
  expect(declaredConnections([team, root], 'x').get('shared')?.region).toBe('root')
})

test('a secret is stored under the name that is declared, else under that of the connection', () => {
  expect(secretNameFor('openai', { provider: 'openai', credential: 'secret:openai-prod' })).toBe(
    'openai-prod',
  )
  expect(secretNameFor('openai', { provider: 'openai', credential: 'env:OPENAI_API_KEY' })).toBe('openai')
  expect(secretNameFor('local', { provider: 'openai-compatible' })).toBe('local')
})

test('gateways together say the worst that any of them says', () => {
  expect(combineStates([])).toBe('unknown')
  expect(combineStates(['available', 'available'])).toBe('available')
  expect(combineStates(['available', 'simulated'])).toBe('simulated')
  expect(combineStates(['available', 'unavailable', 'simulated'])).toBe('unavailable')
})
