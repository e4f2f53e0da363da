import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createSealKeyPair, type SealKeyPair, sealPublicKeyOf } from '@signalbox/sdk/node'
import { loadIfThere, storeDurably } from '../documents/durable-file.ts'

const ownerOnly = 0o600

/**
 * The key that this gateway's credentials are sealed to: the configured one, else the one in the data folder, else a
 * new one that is kept there, readable by its owner alone.
 * @throws Error where the key is not an X25519 key; never with the key in it.
 */
export async function loadGatewayKey(folder: string, configured: string | undefined): Promise<SealKeyPair> {
  if (configured !== undefined) return pairOf(configured, 'SIGNALBOX_GATEWAY_KEY')
  const path = join(folder, 'gateway.key')
  const kept = await loadIfThere(path)
  if (kept !== undefined) {
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, ownerOnly)
    return pairOf(kept.toString('utf8').trim(), path)
  }
  const pair = await createSealKeyPair()
  await storeDurably(path, `${pair.privateKey}\n`, ownerOnly)
  return pair
}

function pairOf(privateKey: string, where: string): SealKeyPair {
  try {
    return { privateKey, publicKey: sealPublicKeyOf(privateKey) }
  } catch (cause) {
    throw new Error(`${where} does not hold an X25519 private key (32 bytes, base64url)`, { cause })
  }
}
