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
    SIGNALBOX_ROOT_KEY: '',
  })
  expect(config).toMatchObject({
    databaseUrl: 'postgres://localhost/x',
    port: 0,
    dataDir: '/var/lib/signalbox',
  })
  expect(config.rootKey).toBeUndefined()
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
