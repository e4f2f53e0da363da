import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Setting } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'

const schema = Type.Object({
  port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8787 }),
  host: Type.String({ default: '127.0.0.1' }),
  token: Type.Optional(Type.String({ minLength: 3 })),
})
const settings: Record<string, Setting> = {
  port: { variable: 'APP_PORT', parse: 'integer' },
  host: { variable: 'APP_HOST', parse: 'string' },
  token: { variable: 'APP_TOKEN', parse: 'string' },
}

describe('settings', () => {
  it('have defaults and are frozen', () => {
    const config = loadConfig(schema, settings, {})
    expect(config).toEqual({ port: 8787, host: '127.0.0.1' })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('name every variable that is wrong, and no value', () => {
    const load = () => loadConfig(schema, settings, { APP_PORT: '99999', APP_TOKEN: 'zq' })
    expect(load).toThrow(/APP_PORT .*APP_TOKEN /)
    expect(load).not.toThrow(/zq/)
  })

  it('come from a file where one is named', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'signalbox-config-')), 'token')
    writeFileSync(file, 'secret\n')
    expect(loadConfig(schema, settings, { APP_TOKEN_FILE: file })).toMatchObject({ token: 'secret' })
  })
})
