import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadGatewayConfig } from '../../gateway/config.ts'

const needed = { SIGNALBOX_GATEWAY_TOKEN: 'sbg_x', SIGNALBOX_TRUST_ROOT: 'root' }

describe('the settings of a gateway', () => {
  it('have defaults for everything but who it is', () => {
    const { config } = loadGatewayConfig(needed)
    expect(config).toMatchObject({
      port: 8787,
      host: '127.0.0.1',
      dataDir: '.signalbox',
      controlPlaneUrl: 'http://127.0.0.1:8788',
      logLevel: 'info',
      drainTimeoutMs: 120_000,
      journalBytesMax: 268_435_456,
      tracesSampler: 'parentbased_always_on',
    })
    expect(Object.isFrozen(config)).toBe(true)
    expect(() => loadGatewayConfig({})).toThrow(/gatewayToken.*trustRoot|trustRoot.*gatewayToken/)
  })

  it('are refused where they make no sense, all at once, by the name of the variable', () => {
    const wrong = {
      ...needed,
      SIGNALBOX_GATEWAY_PORT: 'eighty',
      SIGNALBOX_GATEWAY_KEY: 'top secret',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    }
    const error = (() => {
      try {
        loadGatewayConfig(wrong)
        return undefined
      } catch (thrown) {
        return String(thrown)
      }
    })()
    for (const name of Object.keys(wrong).slice(2)) expect(error).toContain(name)
    expect(error).not.toContain('top secret')
    expect(() => loadGatewayConfig({ ...needed, SIGNALBOX_TLS_CERT: '/x' })).toThrow('go together')
  })

  it('come from files where `_FILE` names one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-config-'))
    writeFileSync(join(folder, 'token'), 'sbg_from_file\n')
    const { config } = loadGatewayConfig({
      SIGNALBOX_TRUST_ROOT: 'root',
      SIGNALBOX_GATEWAY_TOKEN_FILE: join(folder, 'token'),
    })
    expect(config.gatewayToken).toBe('sbg_from_file')
    rmSync(folder, { recursive: true })
  })

  it('name variables of ours that nobody reads', () => {
    const { unknownVariables } = loadGatewayConfig({
      ...needed,
      SIGNALBOX_GATWAY_PORT: '1',
      SIGNALBOX_TOKEN: 'sbt_x',
    })
    expect(unknownVariables).toEqual(['SIGNALBOX_GATWAY_PORT'])
  })

  it('know those of the other programs, which a local start passes on', () => {
    const files = ['control-plane/config.ts', 'policies/cli/config.ts']
    const names = files.flatMap((file) => {
      const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
      return [...text.matchAll(/'(SIGNALBOX_[A-Z_]+)'/g)].map(([, name = '']) => name)
    })
    expect(names.length).toBeGreaterThan(30)
    const environment = { ...Object.fromEntries(names.map((name) => [name, ''])), ...needed }
    expect(loadGatewayConfig(environment).unknownVariables).toEqual([])
  })

  it('give the variables that connections name, without the white space around them', () => {
    const { readVariable } = loadGatewayConfig({ ...needed, OPENAI_API_KEY: ' k\n', EMPTY: '' })
    expect(readVariable('OPENAI_API_KEY')).toBe('k')
    expect(readVariable('EMPTY')).toBeUndefined()
    expect(readVariable('UNSET')).toBeUndefined()
  })
})
