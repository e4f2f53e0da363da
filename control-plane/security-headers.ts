/**
 * Sent with every response. The console loads nothing from elsewhere, is never framed, and its styles come as
 * constructed sheets, which the policy does not concern.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * Sent with the script of the playground's worker instead, which is the only place of the console where more is
 * allowed: to compile the engine's wasm, and the validators that ajv makes of our schemas. Nothing that an author
 * wrote runs there but inside the engine, the worker knows no token, and it loads from this origin only.
 */
export const workerSecurityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'unsafe-eval'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
}

/** Whether a built file of the console is the script of that worker. */
export function isEngineWorker(path: string): boolean {
  return /\/assets\/engine\.worker-[\w-]+\.js$/.test(path.replaceAll('\\', '/'))
}
