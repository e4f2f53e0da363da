import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.resolve('typescript/package.json'))
const platform = `@typescript/typescript-${process.platform}-${process.arch}/package.json`
/** The TypeScript compiler, which is the language server of editors too. */
export const compiler = join(
  dirname(require.resolve(platform)),
  'lib',
  process.platform === 'win32' ? 'tsc.exe' : 'tsc',
)
const answerMs = 20_000

interface Message {
  readonly id?: number
  readonly method?: string
  readonly result?: { readonly items?: readonly { readonly label: string }[] } | null
  readonly params?: { readonly items?: readonly unknown[] }
}

/** Starts a language server on a folder, as an editor does. */
export async function startLanguageServer(folder: string) {
  const server = spawn(compiler, ['--lsp', '--stdio'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = new Map<number, (message: Message) => void>()
  let unread = Buffer.alloc(0)
  let last = 0
  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }
  const take = (message: Message): void => {
    if (message.id !== undefined && message.method !== undefined) {
      send({ id: message.id, result: message.params?.items?.map(() => null) ?? null })
    } else waiting.get(message.id ?? -1)?.(message)
  }
  server.stdout.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    for (;;) {
      const head = unread.indexOf('\r\n\r\n')
      const length = Number(
        /Content-Length: (\d+)/i.exec(unread.toString('latin1', 0, Math.max(0, head)))?.[1],
      )
      if (head === -1 || unread.length < head + 4 + length) return
      take(JSON.parse(unread.toString('utf8', head + 4, head + 4 + length)))
      unread = unread.subarray(head + 4 + length)
    }
  })
  const ask = (method: string, params: object): Promise<Message> =>
    new Promise((resolve, reject) => {
      const id = ++last
      const clock = setTimeout(() => reject(new Error(`${method} was not answered`)), answerMs)
      waiting.set(id, (message) => {
        clearTimeout(clock)
        resolve(message)
      })
      send({ id, method, params })
    })
  await ask('initialize', { processId: null, rootUri: pathToFileURL(folder).href, capabilities: {} })
  send({ method: 'initialized', params: {} })
  return {
    /** What the editor offers right behind a piece of a file's text. */
    async completions(file: string, behind: string): Promise<string[]> {
      const uri = pathToFileURL(join(folder, file)).href
      const text = readFileSync(join(folder, file), 'utf8')
      send({
        method: 'textDocument/didOpen',
        params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
      })
      const before = text.slice(0, text.indexOf(behind) + behind.length).split('\n')
      const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 }
      const { result } = await ask('textDocument/completion', { textDocument: { uri }, position })
      return (result?.items ?? []).map(({ label }) => label.replace(/\?$/, ''))
    },
    stop: (): void => {
      server.kill()
    },
  }
}
