import { expect, test } from 'vitest'
import { loadConfig } from '../../control-plane/config.ts'

test('without any variable the settings are those of a local start', () => {
  expect(loadConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8788,
    dataDir: `${process.cwd()}/.signalbox`,
    environment: 'development',
    verifyReplies: false,
  })
  expect(loadConfig({}).databaseUrl).toBeUndefined()
})

test('reads what is set, and takes an empty variable for one that is not', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://localhost/x',
    SIGNALBOX_CONTROL_PLANE_PORT: '0',
    SIGNALBOX_DATA_DIR: '/var/lib/signalbox',
    SIGNALBOX_PUBLIC_URL: '',
  })
  expect(config).toMatchObject({
    databaseUrl: 'postgres://localhost/x',
    port: 0,
    dataDir: '/var/lib/signalbox',
  })
  expect(config.publicUrl).toBeUndefined()
})

test('names every variable that is wrong, and no value', () => {
  const load = () =>
    loadConfig({
      DATABASE_URL: 'mysql://user:geheim@db',
      SIGNALBOX_CONTROL_PLANE_PORT: 'http',
      SIGNALBOX_SECRET_KEY: 'geheim',
      SIGNALBOX_ROOT_KEY: 'geheim',
      SIGNALBOX_ENVIRONMENT: 'Not A Name',
    })
  for (const name of ['DATABASE_URL', 'CONTROL_PLANE_PORT', 'SECRET_KEY', 'ROOT_KEY', 'ENVIRONMENT']) {
    expect(load).toThrow(new RegExp(name))
  }
  expect(load).not.toThrow(/geheim|mysql/)
})

test('a certificate needs its key', () => {
  expect(() => loadConfig({ SIGNALBOX_TLS_CERT: '/cert.pem' })).toThrow('go together')
})

test('a secret that is empty, an example, or one letter many times is refused, and never repeated', () => {
  const attempt = (name: string, value: string) => () => loadConfig({ [name]: value })
  for (const name of ['SIGNALBOX_ROOT_KEY', 'SIGNALBOX_SECRET_KEY']) {
    expect(attempt(name, '')).toThrow(`${name} is empty`)
    expect(attempt(name, 'changeme-changeme-changeme-changeme')).toThrow(`${name} is a default or too simple`)
    expect(attempt(name, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')).toThrow(`${name} is a default`)
    expect(attempt(name, 'changeme-changeme-changeme-changeme')).not.toThrow('changeme')
  }
  expect(loadConfig({ SIGNALBOX_ROOT_KEY: '0f9d2c7e51b84a3692e0d7c61f5b8a34' }).rootKey).toBeDefined()
})

test('an identity provider needs a client, an address of the console and rules for roles', () => {
  const issuer = { SIGNALBOX_OIDC_ISSUER: 'https://id.example.com' }
  expect(() => loadConfig(issuer)).toThrow(/CLIENT_ID.*PUBLIC_URL.*OIDC_ROLES/)
  const whole = {
    ...issuer,
    SIGNALBOX_OIDC_CLIENT_ID: 'signalbox',
    SIGNALBOX_PUBLIC_URL: 'https://signalbox.example.com',
  }
  expect(() => loadConfig({ ...whole, SIGNALBOX_OIDC_ROLES: 'a=king' })).toThrow('"a=king" is not')
  const rules = 'platform admins=admin; search=developer@teams/search; *=viewer'
  expect(loadConfig({ ...whole, SIGNALBOX_OIDC_ROLES: rules }).roleMapping).toEqual([
    { value: 'platform admins', role: 'admin', path: '' },
    { value: 'search', role: 'developer', path: 'teams/search' },
    { value: '*', role: 'viewer', path: '' },
  ])
})

test('proxies are addresses and ranges', () => {
  expect(() => loadConfig({ SIGNALBOX_TRUSTED_PROXIES: '10.0.0.0/33' })).toThrow(
    '"10.0.0.0/33" is no address',
  )
  const { proxies } = loadConfig({ SIGNALBOX_TRUSTED_PROXIES: '10.0.0.0/8, ::1' })
  expect([proxies?.has('10.9.9.9'), proxies?.has('::1'), proxies?.has('11.0.0.1')]).toEqual([
    true,
    true,
    false,
  ])
})
