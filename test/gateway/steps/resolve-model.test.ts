import { describe, expect, it } from 'vitest'
import type { WireFormat } from '../../../gateway/call.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { resolveModel } from '../../../gateway/steps/resolve-model.ts'
import { targetsOf } from '../../../gateway/targets.ts'
import { connectionOf, type MemorySnapshotOptions, memorySnapshot } from '../../support/memory-snapshot.ts'

const providers = new Map([openai, anthropic, compatible].map((each) => [each.id, each]))
const local = connectionOf('local', { provider: 'openai-compatible', locality: 'on-prem' })

function resolver(options: MemorySnapshotOptions = {}) {
  const snapshot = memorySnapshot(options)
  const table = targetsOf(snapshot, providers)
  return (name: string, format: WireFormat = 'openai-chat') => {
    const resolved = resolveModel(name, format, snapshot, table)
    return { alias: resolved.alias, targets: resolved.targets.map((target) => target.name) }
  }
}
const targetsFor = (name: string, options: MemorySnapshotOptions = {}, format: WireFormat = 'openai-chat') =>
  resolver(options)(name, format).targets

describe('a model name', () => {
  it('is an alias first', () => {
    const resolve = resolver({ aliases: { smart: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] } })
    expect(resolve('smart')).toEqual({
      alias: 'smart',
      targets: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'],
    })
    expect(targetsFor('gpt-5.2', { aliases: { 'gpt-5.2': ['openai/gpt-5-mini'] } })).toEqual([
      'openai/gpt-5-mini',
    ])
  })

  it('is a connection and a model, split at the first slash', () => {
    expect(targetsFor('openai/gpt-5.2')).toEqual(['openai/gpt-5.2'])
    expect(targetsFor('local/meta-llama/Llama-3.3', { connections: [local] })).toEqual([
      'local/meta-llama/Llama-3.3',
    ])
  })

  it('is one model in every spelling, whatever the connection is called', () => {
    expect(targetsFor('anthropic/claude-sonnet-4.5')).toEqual(['anthropic/claude-sonnet-4-5'])
    expect(targetsFor('eu/gpt-5-2', { connections: [connectionOf('eu')] })).toEqual(['eu/gpt-5.2'])
  })

  it('that the catalogue does not know stays as it is', () => {
    expect(targetsFor('openai/ft:gpt-5.2:acme::x')).toEqual(['openai/ft:gpt-5.2:acme::x'])
  })

  it('without a connection means the first one in order that lists it', () => {
    const connections = [connectionOf('eu'), connectionOf('openai'), connectionOf('anthropic')]
    expect(targetsFor('gpt-5.2', { connections })).toEqual(['eu/gpt-5.2'])
    expect(targetsFor('claude-opus-4.8', { connections })).toEqual(['anthropic/claude-opus-4-8'])
  })

  it("that nobody lists goes to the dialect's own vendor", () => {
    expect(targetsFor('brand-new')).toEqual(['openai/brand-new'])
    expect(targetsFor('brand-new', {}, 'anthropic-messages')).toEqual(['anthropic/brand-new'])
  })

  it('may have the prefix models/ and an encoded slash', () => {
    expect(targetsFor('models/gpt-5.2')).toEqual(['openai/gpt-5.2'])
    expect(targetsFor('openai%2Fgpt-5.2')).toEqual(['openai/gpt-5.2'])
    expect(targetsFor('openai%2fgpt-5.2')).toEqual(['openai/gpt-5.2'])
  })

  it('of a connection that is not here is not found, and the nearest names are told', () => {
    const resolve = resolver({ aliases: { smart: ['openai/gpt-5.2'] } })
    expect(() => resolve('opennai/gpt-5.2')).toThrow(
      /"opennai\/gpt-5.2" is not known here\. Nearest: openai\/gpt-5\.2, /,
    )
    expect(() => resolve('smarrt/x')).toThrow(/smart/)
  })

  it.each(['', ' ', 'a b', 'x'.repeat(300), 'openai/', '/gpt-5.2'])('%j is not found', (name) => {
    expect(() => targetsFor(name)).toThrow(expect.objectContaining({ code: 'model_not_found' }))
  })

  it('is not found where nothing could serve it', () => {
    expect(() => targetsFor('gpt-5.2', { connections: [] })).toThrow(/is not known here\.$/)
  })

  it('is not priced by the rows of a vendor that does not sell it', () => {
    const snapshot = memorySnapshot({ connections: [local, connectionOf('openai', { locality: 'on-prem' })] })
    const table = targetsOf(snapshot, providers)
    expect(table.find('local/gpt-5.2')?.prices).toBeUndefined()
    expect(table.find('openai/gpt-5.2')?.prices).toBeDefined()
  })

  it('has the prices that its workspace gives it, in any spelling', () => {
    const catalogue = { 'openai/gpt-5.2': { input: 3 }, 'local/llama3.3': { input: 0, output: 0 } }
    const snapshot = memorySnapshot({
      connections: [connectionOf('openai'), local],
      workspace: { catalogue },
    })
    const table = targetsOf(snapshot, providers)
    expect(table.find('openai/gpt-5-2')?.prices?.[0]?.units).toEqual({ input: 3_000_000, output: 2_000_000 })
    expect(table.find('local/llama3.3')?.columns).toMatchObject({
      inputPico: 0,
      outputPico: 0,
      tier: 'unknown',
    })
  })
})
