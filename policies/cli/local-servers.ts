import { hosts } from '@signalbox/sdk/contract'

/** A model server that answers on this machine. */
export interface LocalServer {
  /** Name of the connection and of its provider: `ollama`. */
  readonly id: string
  readonly baseUrl: string
  readonly models: number
}

/** Servers that people run themselves, at the ports they have by default. */
export const localServerIds = ['ollama', 'lmstudio', 'vllm', 'llamacpp'] as const
/** All are asked at once and get this long together. */
const probeMs = 300
const answerBytesMax = 1_048_576

/** How many models a list of models names; undefined for anything else that answers at the port. */
function countModels(text: string): number | undefined {
  try {
    const { data } = JSON.parse(text) as { data?: unknown }
    if (!Array.isArray(data)) return undefined
    const isModel = (each: unknown) =>
      typeof each === 'object' && each !== null && 'id' in each && typeof each.id === 'string'
    return data.every(isModel) ? data.length : undefined
  } catch {
    return undefined
  }
}

async function readAtMost(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function probe(id: string, baseUrl: string): Promise<LocalServer | undefined> {
  try {
    const signal = AbortSignal.timeout(probeMs)
    const response = await fetch(`${baseUrl}/models`, { signal, redirect: 'error' })
    const models = response.ok ? countModels(await readAtMost(response)) : undefined
    return models === undefined ? undefined : { id, baseUrl, models }
  } catch {
    return undefined
  }
}

/**
 * The local servers that answer with a list of models: Ollama, LM Studio, vLLM, llama.cpp. Only loopback is asked, all
 * at once, for at most 300 ms.
 */
export async function findLocalServers(
  ids: readonly string[] = localServerIds,
  urlOf: (id: string) => string | undefined = (id) => hosts.get(id)?.baseUrl,
): Promise<LocalServer[]> {
  const asked = ids.flatMap((id) => {
    const url = urlOf(id)
    return url?.startsWith('http://127.0.0.1:') === true ? [probe(id, url)] : []
  })
  return (await Promise.all(asked)).filter((each) => each !== undefined)
}
