import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeStarter } from '@signalbox/policies'
import { ApiError, type Client, createClient } from '@signalbox/sdk'
import { ChildProgram } from './child-program.ts'
import type { CliConfig } from './config.ts'
import { buildConsole } from './console-build.ts'
import { Failure } from './context.ts'
import { createOrFind } from './if-missing.ts'
import { type LocalAddresses, localAddresses, trustInChild, trustLocal } from './local-addresses.ts'
import { findLocalServers, type LocalServer } from './local-servers.ts'
import { type LocalState, loadLocalState, storeLocalState } from './local-state.ts'
import type { Output } from './output.ts'
import { formatProblem } from './problems.ts'
import { digestOfFolder, pushFolder } from './push-folder.ts'

const demoTeam = 'demo'

/** Both programs, running. */
export interface LocalStart extends LocalAddresses {
  readonly key: string
  readonly rootKey: string
  readonly workspace: string
  readonly client: Client
  /** Model servers that were found on this machine and are connections now. */
  readonly localServers: readonly LocalServer[]
  /** Resolves when one of the programs ended by itself. */
  readonly broken: Promise<string>
  /** Drains the gateway, then the control plane. False where one did not end well. */
  stop(): Promise<boolean>
}

function childEnvironment(config: CliConfig, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...config.inherited, SIGNALBOX_DATA_DIR: resolve(config.dataDir), ...extra }
}

function rootKeyOf(config: CliConfig): string {
  if (config.rootKey !== undefined) return config.rootKey
  try {
    return readFileSync(join(config.dataDir, 'root-key'), 'utf8').trim()
  } catch (cause) {
    throw new Failure(
      `the control plane's root key is neither in SIGNALBOX_ROOT_KEY nor in ${config.dataDir}/root-key: ${cause}`,
    )
  }
}

/** Publishes the folder where it changed since it was last deployed from here. */
async function publishWorkspace(
  client: Client,
  folder: string,
  state: LocalState,
  options: { environment: string; output: Output },
): Promise<void> {
  const place = `${options.environment} ${folder}`
  const digest = await digestOfFolder(folder)
  if (digest !== null && state.deployed[place] === digest) return
  try {
    const reply = await pushFolder(client, folder, options)
    state.deployed[place] = reply.digest
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Failure)) throw error
    if (error instanceof ApiError) {
      for (const problem of error.problems) options.output.note(formatProblem(problem, options.output))
    }
    const { items } = await client.listDeployments({ environment: options.environment, limit: 1 })
    if (items.length === 0)
      throw new Failure(`${folder} was not published and nothing was before: ${error.message}`)
    options.output.note(`${folder} was not published (${error.message}); the last good version stays.`)
  }
}

/** The release of the newest deployment: what this start published, or what is deployed there from elsewhere. */
async function newestRelease(client: Client, environment: string): Promise<number | undefined> {
  const { items } = await client.listDeployments({ environment, limit: 1 })
  return items[0]?.release
}

async function ensureDemoKey(client: Client, state: LocalState, environment: string): Promise<void> {
  if (state.demoKey !== undefined) return
  await createOrFind(
    () => client.createTeam({ name: demoTeam }),
    async () => demoTeam,
  )
  const label = `local-${Date.now().toString(36)}`
  const { key } = await client.createKey({ team: demoTeam, name: label, environment })
  state.demoKey = key
}

async function ensureEnrolment(client: Client, state: LocalState, environment: string): Promise<void> {
  if (state.gatewayToken !== undefined && state.trustRoot !== undefined) return
  const name = `local-${Date.now().toString(36)}`
  const { token, trustRoot } = await client.enrollGateway({ environment, name })
  state.gatewayToken = token
  state.trustRoot = trustRoot
}

/** What both programs need, remembered for the next start: a published workspace, a key, an enrolled gateway. */
async function prepare(
  config: CliConfig,
  client: Client,
  workspace: string,
  output: Output,
): Promise<LocalState> {
  const { environment } = config
  const state = loadLocalState(config.dataDir, (await client.getMe()).organisation.id)
  if (config.workspace === undefined && !existsSync(workspace))
    await writeStarter(workspace, { name: 'starter' })
  await publishWorkspace(client, workspace, state, { environment, output })
  await ensureDemoKey(client, state, environment)
  await ensureEnrolment(client, state, environment)
  storeLocalState(config.dataDir, state)
  return state
}

/** Drains the programs in the opposite order of their start. False where one did not end well. */
async function stopAll(programs: readonly ChildProgram[]): Promise<boolean> {
  let well = true
  for (const program of programs.toReversed()) well = (await program.stop()) === 0 && well
  return well
}

/** Starts the control plane, publishes the workspace, enrols and starts the gateway. */
export async function startLocally(config: CliConfig, output: Output): Promise<LocalStart> {
  const addresses = localAddresses(config)
  const { controlPlaneUrl, gatewayUrl } = addresses
  const workspace = resolve(config.workspace ?? join(config.dataDir, 'workspace'))
  trustLocal(addresses)
  const controlPlane = new ChildProgram('control plane', 'control-plane', childEnvironment(config, {}))
  const programs = [controlPlane]
  const consoleBuilt = buildConsole(output)
  try {
    await controlPlane.ready(controlPlaneUrl)
    const rootKey = rootKeyOf(config)
    const client = createClient({ url: controlPlaneUrl, token: rootKey })
    const { demoKey, gatewayToken, trustRoot } = await prepare(config, client, workspace, output)
    const release = await newestRelease(client, config.environment)
    const localServers = config.localServers === undefined ? await findLocalServers() : []
    const enrolment = {
      ...trustInChild(addresses, config),
      SIGNALBOX_LOCAL_SERVERS: config.localServers ?? localServers.map(({ id }) => id).join(','),
      SIGNALBOX_CONTROL_PLANE_URL: controlPlaneUrl,
      SIGNALBOX_GATEWAY_TOKEN: gatewayToken ?? '',
      SIGNALBOX_TRUST_ROOT: trustRoot ?? '',
      // Ready is then: with the workspace that this start published.
      ...(release !== undefined && release > 0 && { SIGNALBOX_READY_RELEASE: String(release) }),
    }
    const gateway = new ChildProgram('gateway', 'gateway', childEnvironment(config, enrolment))
    programs.push(gateway)
    await gateway.ready(gatewayUrl)
    await consoleBuilt
    const broken = Promise.race(programs.map((program) => program.ended.then(() => program.name)))
    const key = demoKey ?? ''
    return {
      ...addresses,
      key,
      rootKey,
      workspace,
      client,
      localServers,
      broken,
      stop: () => stopAll(programs),
    }
  } catch (error) {
    await stopAll(programs)
    throw error
  }
}
