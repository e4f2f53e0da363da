/**
 * Secrets that users hold. Key: `sb_<e><24 base62>_<6 checksum>`, where `<e>` is the first letter of its environment;
 * tokens `sbt_`, gateways `sbg_`, root `sbr_` are formed alike, without `<e>`. The checksum lets a client or a secret
 * scanner see a typing error offline; it proves nothing.
 */
export const secretKinds = { key: 'sb_', token: 'sbt_', gateway: 'sbg_', root: 'sbr_' } as const
export type SecretKind = keyof typeof secretKinds
export const keyPattern = /^sb_[a-z][0-9A-Za-z]{24}_[0-9A-Za-z]{6}$/
export const tokenPattern = /^sb[tgr]_[0-9A-Za-z]{24}_[0-9A-Za-z]{6}$/
