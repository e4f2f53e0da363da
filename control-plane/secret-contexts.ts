/** What a secret in the database is for: `SecretBox` binds it to this, so that a row copied elsewhere does not open. */
export function signingKeyContext(organisationId: string, keyId: string): string {
  return `signing-key ${organisationId} ${keyId}`
}

export function connectionSecretContext(organisationId: string, environment: string, name: string): string {
  return `connection-secret ${organisationId} ${environment} ${name}`
}

export function drillKeyContext(organisationId: string, scheduleId: string): string {
  return `drill-key ${organisationId} ${scheduleId}`
}

export function webhookSecretContext(organisationId: string, webhookId: string): string {
  return `webhook-secret ${organisationId} ${webhookId}`
}
