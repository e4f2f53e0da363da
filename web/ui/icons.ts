import { html, svg, type TemplateResult } from 'lit'

const icon = (paths: TemplateResult): TemplateResult => html`<svg
  viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.8"
  stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`

export const icons = {
  overview: icon(svg`<path d="M4 19V5M4 19h16M8 15v-4M12.5 15V8M17 15v-2" />`),
  policies: icon(
    svg`<path d="M6 20V4m0 3h7l4 4m0 0v9M13 7V4" /><circle cx="6" cy="20" r="1.4" /><circle cx="17" cy="20" r="1.4" />`,
  ),
  prompts: icon(svg`<path d="M5 5h14v11H10l-5 4zM9 9h6M9 12h4" />`),
  deployments: icon(svg`<path d="M4 18h5c5 0 4-12 9-12h2M4 18h16M17 3l3 3-3 3M17 15l3 3-3 3" />`),
  decisions: icon(svg`<path d="M4 6h16M4 12h16M4 18h9" /><circle cx="18" cy="18" r="2" />`),
  playground: icon(svg`<path d="M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M8 3h8M8 15h8" />`),
  access: icon(svg`<circle cx="8" cy="15" r="4" /><path d="M11 12l8-8M16 7l3 3" />`),
  account: icon(svg`<circle cx="12" cy="8" r="4" /><path d="M4 21a8 8 0 0 1 16 0" />`),
  gateways: icon(
    svg`<rect x="4" y="4" width="16" height="6" rx="1.5" /><rect x="4" y="14" width="16" height="6" rx="1.5" /><path d="M8 7h.01M8 17h.01" />`,
  ),
  budgets: icon(svg`<circle cx="12" cy="12" r="8.5" /><path d="M12 12V3.5M12 12l6 6M12 12h8.5" />`),
  models: icon(svg`<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9" />`),
  limits: icon(svg`<path d="M4 18a8.5 8.5 0 1 1 16 0M12 16l4-6" /><circle cx="12" cy="17" r="1.4" />`),
  users: icon(
    svg`<circle cx="9" cy="8" r="3.5" /><path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5" />`,
  ),
  alerts: icon(svg`<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21h4" />`),
  drills: icon(
    svg`<path d="M12 3l8 3v6c0 5-3.5 7.500-8 9-4.500-1.500-8-4-8-9V6zM8.500 12l2.500 2.500 4.500-5" />`,
  ),
  audit: icon(svg`<path d="M6 3h9l4 4v14H6zM9.5 11h6M9.5 15h6M9.5 7h2" />`),
  sun: icon(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4" />`,
  ),
  moon: icon(svg`<path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z" />`),
  out: icon(svg`<path d="M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9" />`),
  mark: html`<svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#1f5d4c" /><path d="M8 24V9m0 2h10l6 5" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" /><circle cx="24" cy="16" r="3" fill="#f4b740" /></svg>`,
} as const
