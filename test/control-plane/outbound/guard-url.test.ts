import { expect, test } from 'vitest'
import { guardedLookup, guardUrl } from '../../../control-plane/outbound/guard-url.ts'
import { isPublicAddress } from '../../../control-plane/outbound/public-address.ts'

const none = { trusted: [] }

test.each([
  ...['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'javascript:alert(1)', 'no url', ''],
  ...['https://user:pass@example.com/', 'https://user@example.com/', 'https://example.com/#fragment'],
  ...['https://localhost/', 'https://LOCALHOST./', 'https://a.localhost/', 'https://printer.local/'],
  ...['https://metadata.google.internal/', 'https://router.home.arpa/', 'https://intranet/'],
  ...[
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
  ],
  ...[
    'https://0.0.0.0/',
    'https://0/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
  ],
  ...['https://192.168.1.1/', 'https://169.254.169.254/', 'https://100.64.0.1/', 'https://100.127.255.255/'],
  ...['https://192.0.0.1/', 'https://192.0.2.1/', 'https://198.18.0.1/', 'https://198.51.100.1/'],
  ...['https://203.0.113.1/', 'https://224.0.0.1/', 'https://255.255.255.255/', 'https://１２７.0.0.1/'],
  ...['https://127。0。0。1/', 'https://[::1]/', 'https://[::]/', 'https://[::ffff:127.0.0.1]/'],
  ...['https://[::ffff:a9fe:a9fe]/', 'https://[::127.0.0.1]/', 'https://[fe80::1]/', 'https://[fc00::1]/'],
  ...[
    'https://[fd00:ec2::254]/',
    'https://[ff02::1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:7f00:1::]/',
  ],
  ...['https://[2001::1]/', 'https://[2001:db8::1]/', 'https://[100::1]/', 'https://[3fff::1]/'],
  `https://example.com/${'a'.repeat(2048)}`,
])('%s is not taken', (url) => {
  expect(() => guardUrl(url, none)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})

test.each([
  'https://hooks.example.com/services/T0/B0?x=1',
  'https://hooks.example.com:8443/',
  'https://93.184.216.34/',
  'https://[2606:4700::1111]/',
])('%s is taken', (url) => {
  expect(guardUrl(url, none).href).toBe(url)
})

test('what an operator listed is taken though it is private or without TLS, and nothing beside it', () => {
  const rules = { trusted: ['10.0.0.5:8080', 'hooks.lan'] }
  expect(guardUrl('http://10.0.0.5:8080/x', rules).port).toBe('8080')
  expect(guardUrl('http://hooks.lan/x', rules).hostname).toBe('hooks.lan')
  for (const url of ['http://10.0.0.5/x', 'http://10.0.0.6:8080/', 'http://a.hooks.lan/', 'ftp://hooks.lan/'])
    expect(() => guardUrl(url, rules)).toThrow()
  expect(() => guardUrl('http://root@hooks.lan/', rules)).toThrow('user')
})

test('a refusal never repeats the path or the query, which may be secrets', () => {
  expect(() => guardUrl('https://10.0.0.1/secret?token=secret', none)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('secret') }),
  )
})

test('a name that leads to a closed address is not connected to', async () => {
  const url = new URL('https://innocent.example/')
  const lookup = guardedLookup(url, none)
  for (const all of [true, false]) {
    const error = await new Promise((resolve) =>
      lookup?.('localhost', { all }, (failure) => resolve(failure)),
    )
    expect(error).toMatchObject({ message: expect.stringContaining('not of the open internet') })
  }
  expect(guardedLookup(url, { trusted: ['innocent.example'] })).toBeUndefined()
})

test('what is no address is not public', () => {
  for (const text of ['', 'example.com', '1.2.3', '::ffff:8.8.8.8']) expect(isPublicAddress(text)).toBe(false)
  expect(isPublicAddress('8.8.8.8')).toBe(true)
})
