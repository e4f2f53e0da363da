import type { LocalStart } from './local-start.ts'
import type { Output } from './output.ts'

/** What a person needs next: where things are, and a line to paste. */
export function printWelcome(started: LocalStart, output: Output): void {
  const { gatewayUrl, controlPlaneUrl, key, rootKey, workspace } = started
  const label = (text: string): string => output.style('dim', text.padEnd(10))
  output.line(`${output.style('green', 'Signalbox is running.')} Ctrl-C stops it.\n`)
  output.line(`  ${label('Console')}${controlPlaneUrl}`)
  output.line(`  ${label('Token')}${rootKey}`)
  output.line(`  ${label('Gateway')}${gatewayUrl}`)
  output.line(`  ${label('Key')}${key}`)
  output.line(`  ${label('Workspace')}${workspace}\n`)
  for (const { id, baseUrl, models } of started.localServers) {
    output.line(`  ${label('Local')}${id}/* at ${baseUrl}, ${models} ${models === 1 ? 'model' : 'models'}`)
  }
  if (started.localServers.length > 0) output.line('')
  const { certificateFile } = started
  const trust = certificateFile === undefined ? '' : `--cacert '${certificateFile}' `
  output.line('Ask something:\n')
  output.line(`  curl ${trust}${gatewayUrl}/v1/chat/completions -H 'Authorization: Bearer ${key}' \\`)
  output.line(`    -H 'Content-Type: application/json' \\`)
  output.line(`    -d '{"model":"openai/gpt-5.2","messages":[{"role":"user","content":"Hello"}]}'\n`)
}
