import { createHash, createHmac } from 'node:crypto'
import { asObject, asString } from '../wire/json-value.ts'

/** What a signature is over, beside the keys. Headers are lower-case. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Clock time, milliseconds. */
  readonly nowMs: number
}
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * Keys of AWS as one credential: `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`, or JSON with the members that AWS itself uses.
 * Undefined for anything else, which is a key of Bedrock's own and goes as a bearer.
 */
export function readAwsKeys(credential: string): AwsKeys | undefined {
  if (credential.startsWith('{')) {
    try {
      const json = asObject(JSON.parse(credential))
      const accessKeyId = asString(json?.accessKeyId) ?? asString(json?.AccessKeyId)
      const secretAccessKey = asString(json?.secretAccessKey) ?? asString(json?.SecretAccessKey)
      const sessionToken = asString(json?.sessionToken) ?? asString(json?.SessionToken)
      if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
      return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
    } catch {
      return undefined
    }
  }
  const [, accessKeyId, secretAccessKey, sessionToken] =
    /^(A[A-Z0-9]{15,127}):([A-Za-z0-9/+=]{16,128})(?::(.+))?$/.exec(credential) ?? []
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Each segment encoded once more, as every service but S3 wants it. */
function canonicalPath(path: string): string {
  return path
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replace(
        /[!'()*]/g,
        (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    )
    .join('/')
}

function canonicalQuery({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&')
}

/**
 * Headers that sign a request with Signature Version 4. Source: docs.aws.amazon.com/IAM/latest/UserGuide/
 * reference_sigv-create-signed-request.html.
 */
export function signAws(
  request: SignedRequest,
  keys: AwsKeys,
  scope: { readonly region: string; readonly service: string },
): Record<string, string> {
  const time = new Date(request.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const own: Record<string, string> = {
    'x-amz-date': time,
    ...(keys.sessionToken !== undefined && { 'x-amz-security-token': keys.sessionToken }),
  }
  const signed: Record<string, string> = { ...own, host: request.url.host }
  const type = request.headers['content-type']
  if (type !== undefined) signed['content-type'] = type
  const names = Object.keys(signed).sort()
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url),
    ...names.map((name) => `${name}:${(signed[name] ?? '').trim()}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n')
  const within = `${day}/${scope.region}/${scope.service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, within, sha256(canonical)].join('\n')
  const dayKey = hmac(`AWS4${keys.secretAccessKey}`, day)
  const key = hmac(hmac(hmac(dayKey, scope.region), scope.service), 'aws4_request')
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  const credential = `Credential=${keys.accessKeyId}/${within}`
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...own, authorization }
}
