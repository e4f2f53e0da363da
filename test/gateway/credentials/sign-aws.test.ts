import { AwsClient } from 'aws4fetch'
import { describe, expect, it } from 'vitest'
import { readAwsKeys, signAws } from '../../../gateway/credentials/sign-aws.ts'

const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const scope = { region: 'eu-central-1', service: 'bedrock' }
const nowMs = Date.UTC(2026, 10, 22, 7, 30)

describe('signAws', () => {
  it.each([
    ['a model id with a colon', '/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse', undefined],
    ['an inference profile', '/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Ap%2Fx/converse-stream', undefined],
    ['keys of a session', '/model/amazon.nova-lite-v1%3A0/converse', 'token=='],
  ])('signs as another implementation does: %s', async (_name, path, sessionToken) => {
    const url = new URL(path, 'https://bedrock-runtime.eu-central-1.amazonaws.com')
    const body = Buffer.from('{"messages":[{"role":"user","content":[{"text":"Grüße"}]}]}')
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const own = sessionToken === undefined ? keys : { ...keys, sessionToken }
    const signed = signAws({ method: 'POST', url, headers, body, nowMs }, own, scope)
    const client = new AwsClient({ ...own, ...scope })
    const datetime = '20261122T073000Z'
    const { headers: wanted } = await client.sign(url.href, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      aws: { datetime, allHeaders: true },
    })
    expect(signed['x-amz-date']).toBe(datetime)
    expect(signed.authorization).toBe(wanted.get('authorization'))
  })
})

describe('readAwsKeys', () => {
  it('takes keys in one line, keys as AWS prints them, and nothing else', () => {
    expect(readAwsKeys(`${keys.accessKeyId}:${keys.secretAccessKey}`)).toEqual(keys)
    expect(readAwsKeys(`${keys.accessKeyId}:${keys.secretAccessKey}:tok`)).toEqual({
      ...keys,
      sessionToken: 'tok',
    })
    const printed = { AccessKeyId: 'ASIA1', SecretAccessKey: 's', SessionToken: 't' }
    expect(readAwsKeys(JSON.stringify(printed))).toEqual({
      accessKeyId: 'ASIA1',
      secretAccessKey: 's',
      sessionToken: 't',
    })
    expect(readAwsKeys('ABSKQmVkcm9ja0FQSUtleQ==')).toBeUndefined()
    expect(readAwsKeys('{"a":1}')).toBeUndefined()
    expect(readAwsKeys('{')).toBeUndefined()
  })
})
