import { connectionOf, memoryKey, memorySnapshot } from './memory-snapshot.ts'
import { startGateway } from './running-gateway.ts'

/**
 * A gateway in a process of its own, so that its memory can be told from that of its callers and its upstream. Prints
 * its URL and a key, then after each line of its input the most memory that it ever held, in bytes.
 */
const [upstreamUrl = ''] = process.argv.slice(2)
const connections = [
  connectionOf('openai', { baseUrl: `${upstreamUrl}/v1`, formats: ['openai-chat'] }),
  connectionOf('anthropic', { provider: 'anthropic', baseUrl: upstreamUrl }),
]
const gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
process.stdout.write(`${gateway.url} ${memoryKey}\n`)
process.stdin.on('data', () => process.stdout.write(`${process.resourceUsage().maxRSS * 1024}\n`))
process.stdin.on('end', () => void gateway.close())
