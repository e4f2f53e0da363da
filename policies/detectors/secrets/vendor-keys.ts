import type { DetectorKind } from '@signalbox/sdk/contract'

/** One form of key: how it begins, and all of it as a sticky pattern of bounded length. */
export interface KeyForm {
  readonly kind: DetectorKind<'secrets'>
  readonly prefix: string
  readonly form: RegExp
  /** Whose key it is, where the kind does not say so. */
  readonly scheme?: string
  /** Nothing in it is drawn at random, or it has a check of its own. */
  readonly fixed?: true
}

/** The characters that follow a prefix: class and counts. */
const after = (
  kind: KeyForm['kind'],
  prefixes: readonly string[],
  rest: string,
  scheme?: string,
): KeyForm[] =>
  prefixes.map((prefix) => ({
    kind,
    prefix,
    form: new RegExp(`${prefix.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}${rest}`, 'y'),
    ...(scheme !== undefined && { scheme }),
  }))

/** Forms of keys as their vendors publish them, or as their keys have been seen to be. */
export const keyForms: readonly KeyForm[] = [
  ...after('anthropic', ['sk-ant-'], '[a-z]{2,8}\\d{2}-[\\w-]{32,160}'),
  ...after('openai', ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-None-'], '[\\w-]{20,220}'),
  ...after('vendorKey', ['sk-or-v1-'], '[0-9a-f]{64}', 'openrouter'),
  ...after('openai', ['sk-'], '[A-Za-z0-9]{32,64}(?![\\w-])'),
  ...after('aws', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], '[A-Z2-7]{16}(?![A-Za-z0-9])'),
  ...after('github', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], '[A-Za-z0-9]{36,251}'),
  ...after('github', ['github_pat_'], '[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'),
  ...after('gitlab', ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glft-', 'glcbt-', 'gloas-'], '[\\w.-]{20,72}'),
  ...after('slack', ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxo-', 'xoxe-'], '[A-Za-z0-9-]{20,120}'),
  ...after('slack', ['xapp-'], '\\d-[A-Z0-9]{8,14}-\\d{10,14}-[a-f0-9]{40,64}'),
  ...after('slack', ['hooks.slack.com/services/'], 'T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,28}'),
  ...after('stripe', ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], '[A-Za-z0-9]{16,247}'),
  ...after('stripe', ['whsec_'], '[A-Za-z0-9+/]{24,64}={0,2}'),
  ...after('google', ['AIza'], '[\\w-]{35}(?![\\w-])'),
  ...after('google', ['GOCSPX-'], '[\\w-]{28}'),
  ...after('google', ['ya29.'], '[\\w-]{30,400}'),
  ...after('azure', ['AccountKey=', 'SharedAccessKey='], '[A-Za-z0-9+/]{42,86}={1,2}'),
  ...after('npm', ['npm_'], '[A-Za-z0-9]{36}(?![A-Za-z0-9])'),
  ...after('pypi', ['pypi-AgE'], '[\\w-]{60,240}'),
  ...after('huggingface', ['hf_'], '[A-Za-z0-9]{30,40}(?![A-Za-z0-9])'),
  ...after('sendgrid', ['SG.'], '[\\w-]{22}\\.[\\w-]{43}(?![\\w-])'),
  ...after(
    'signalbox',
    ['sb_', 'sbt_', 'sbg_', 'sbr_'],
    '[a-z]?[A-Za-z0-9]{24}_[A-Za-z0-9]{6}(?![A-Za-z0-9])',
  ),
  ...after('vendorKey', ['gsk_'], '[A-Za-z0-9]{48,56}', 'groq'),
  ...after('vendorKey', ['xai-'], '[A-Za-z0-9]{70,90}', 'xai'),
  ...after('vendorKey', ['pplx-'], '[A-Za-z0-9]{40,56}', 'perplexity'),
  ...after('vendorKey', ['r8_'], '[A-Za-z0-9]{37,40}', 'replicate'),
  ...after('vendorKey', ['dapi'], '[0-9a-f]{32}(?:-\\d)?(?![0-9a-zA-Z])', 'databricks'),
  ...after('vendorKey', ['dop_v1_', 'doo_v1_', 'dor_v1_'], '[0-9a-f]{64}', 'digitalocean'),
  ...after('vendorKey', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], '[0-9a-fA-F]{32}', 'shopify'),
  ...after('vendorKey', ['lin_api_'], '[A-Za-z0-9]{40}', 'linear'),
  ...after('vendorKey', ['ntn_'], '[A-Za-z0-9]{40,50}', 'notion'),
  ...after('vendorKey', ['PMAK-'], '[0-9a-f]{24}-[0-9a-f]{34}', 'postman'),
  ...after('vendorKey', ['glsa_'], '[A-Za-z0-9]{32}_[0-9a-f]{8}', 'grafana'),
  ...after('vendorKey', ['hvs.', 'hvb.'], '[\\w-]{24,200}', 'vault'),
  ...after('vendorKey', ['AGE-SECRET-KEY-1'], '[A-Z0-9]{58}', 'age'),
  ...after('vendorKey', ['key-'], '[0-9a-f]{32}(?![0-9a-zA-Z])', 'mailgun'),
]
/** Longest key that the forms above can have. */
export const keyLengthMax = 410
