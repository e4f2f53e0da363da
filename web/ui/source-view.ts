import { css, html, LitElement, type TemplateResult } from 'lit'
import { shared } from './styles.ts'

/** Comments, strings, keywords and numbers: enough to read policies, JSON, YAML and Markdown by. */
const tokenPattern =
  /(\/\/[^\n]*|\/\*[\s\S]*?\*\/|^\s*#[^\n]*)|('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\b(import|from|export|default|const|return|true|false|null|if|else)\b|\b(\d[\d_.]*)\b/gm

function highlight(text: string): TemplateResult[] {
  const parts: TemplateResult[] = []
  let at = 0
  for (const match of text.matchAll(tokenPattern)) {
    parts.push(html`${text.slice(at, match.index)}`)
    const kind = match[1] ? 'comment' : match[2] ? 'string' : match[3] ? 'keyword' : 'number'
    parts.push(html`<span class=${kind}>${match[0]}</span>`)
    at = match.index + match[0].length
  }
  parts.push(html`${text.slice(at)}`)
  return parts
}

/** A source file with line numbers. */
export class SourceView extends LitElement {
  static override properties = { text: {}, label: {} }
  declare text: string
  declare label: string

  constructor() {
    super()
    this.text = ''
    this.label = 'Source'
  }

  override render() {
    const count = this.text.replace(/\n$/, '').split('\n').length
    const numbers = Array.from({ length: count }, (_, index) => index + 1).join('\n')
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.label}>
      <pre class="numbers" aria-hidden="true">${numbers}</pre>
      <pre>${highlight(this.text)}</pre>
    </div>`
  }

  static override styles = [
    shared,
    css`
      .scroll { display: flex; background: var(--surface); }
      pre { margin: 0; padding: 14px 16px; line-height: 1.6; tab-size: 2; }
      .numbers { text-align: right; color: var(--muted); background: var(--sunken); user-select: none; padding: 14px 12px;
        position: sticky; left: 0; }
      .comment { color: var(--muted); font-style: italic; }
      .string { color: var(--good); }
      .keyword { color: var(--accent); font-weight: 600; }
      .number { color: var(--warn); }
    `,
  ]
}
customElements.define('sb-source-view', SourceView)
