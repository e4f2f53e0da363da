import type { Connection } from './workspace.ts'

/** An upstream that needs no code of its own: a format that we speak, at an address, with a key. */
export interface Host {
  readonly id: string
  readonly format: 'openai-chat' | 'anthropic-messages'
  readonly baseUrl: string
  /** Environment variable that its key is usually kept in; undefined for servers that take none. */
  readonly variable: string | undefined
}

/** Hosts with fixtures and quirks of their own. Sources: each vendor's API reference, read 2026-11-22. */
const tested = `
cerebras https://api.cerebras.ai/v1 CEREBRAS_API_KEY
deepseek https://api.deepseek.com DEEPSEEK_API_KEY
fireworks https://api.fireworks.ai/inference/v1 FIREWORKS_API_KEY
groq https://api.groq.com/openai/v1 GROQ_API_KEY
llamacpp http://127.0.0.1:8080/v1
lmstudio http://127.0.0.1:1234/v1
mistral https://api.mistral.ai/v1 MISTRAL_API_KEY
moonshotai https://api.moonshot.ai/v1 MOONSHOT_API_KEY
nvidia https://integrate.api.nvidia.com/v1 NVIDIA_API_KEY
ollama http://127.0.0.1:11434/v1
openrouter https://openrouter.ai/api/v1 OPENROUTER_API_KEY
perplexity https://api.perplexity.ai PERPLEXITY_API_KEY
together https://api.together.xyz/v1 TOGETHER_API_KEY
vllm http://127.0.0.1:8000/v1
xai https://api.x.ai/v1 XAI_API_KEY
zai https://api.z.ai/api/paas/v4 ZHIPU_API_KEY
`

/**
 * Hosts of which only the address is known. Source: models.dev (MIT, © 2025 models.dev), commit f3fc69229967 of
 * 2026-07-02, and the vendors' own pages; plans, and addresses with an account in them, are left out.
 */
const listed = `
302ai https://api.302.ai/v1
abacus https://routellm.abacus.ai/v1 ABACUS_API_KEY
abliteration-ai https://api.abliteration.ai/v1 ABLIT_KEY
aihubmix https://aihubmix.com/v1 AIHUBMIX_API_KEY
alibaba https://dashscope-intl.aliyuncs.com/compatible-mode/v1 DASHSCOPE_API_KEY
alibaba-cn https://dashscope.aliyuncs.com/compatible-mode/v1 DASHSCOPE_API_KEY
alibaba-coding-plan https://coding-intl.dashscope.aliyuncs.com/v1 ALIBABA_CODING_PLAN_API_KEY
alibaba-coding-plan-cn https://coding.dashscope.aliyuncs.com/v1 ALIBABA_CODING_PLAN_API_KEY
alibaba-token-plan https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1 ALIBABA_TOKEN_PLAN_API_KEY
alibaba-token-plan-cn https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1 ALIBABA_TOKEN_PLAN_API_KEY
ambient https://api.ambient.xyz/v1 AMBIENT_API_KEY
anyapi https://api.anyapi.ai/v1 ANYAPI_API_KEY
auriko https://api.auriko.ai/v1 AURIKO_API_KEY
baseten https://inference.baseten.co/v1 BASETEN_API_KEY
berget https://api.berget.ai/v1 BERGET_API_KEY
chutes https://llm.chutes.ai/v1 CHUTES_API_KEY
clarifai https://api.clarifai.com/v2/ext/openai/v1 CLARIFAI_PAT
claudinio https://api.claudin.io/v1 CLAUDINIO_API_KEY
cloudferro-sherlock https://api-sherlock.cloudferro.com/openai/v1 CLOUDFERRO_SHERLOCK_API_KEY
cohere-compatible https://api.cohere.ai/compatibility/v1 COHERE_API_KEY
cortecs https://api.cortecs.ai/v1 CORTECS_API_KEY
crof https://crof.ai/v1 CROF_API_KEY
deepinfra https://api.deepinfra.com/v1/openai DEEPINFRA_API_KEY
digitalocean https://inference.do-ai.run/v1 DIGITALOCEAN_ACCESS_TOKEN
dinference https://api.dinference.com/v1 DINFERENCE_API_KEY
drun https://chat.d.run/v1 DRUN_API_KEY
evroc https://models.think.evroc.com/v1 EVROC_API_KEY
fastrouter https://go.fastrouter.ai/api/v1 FASTROUTER_API_KEY
freemodel messages:https://cc.freemodel.dev/v1 FREEMODEL_API_KEY
friendli https://api.friendli.ai/serverless/v1 FRIENDLI_TOKEN
frogbot https://app.frogbot.ai/api/v1 FROGBOT_API_KEY
github-copilot https://api.githubcopilot.com GITHUB_TOKEN
github-models https://models.github.ai/inference GITHUB_TOKEN
gmicloud https://api.gmi-serving.com/v1 GMICLOUD_API_KEY
helicone https://ai-gateway.helicone.ai/v1 HELICONE_API_KEY
hpc-ai https://api.hpc-ai.com/inference/v1 HPC_AI_API_KEY
huggingface https://router.huggingface.co/v1 HF_TOKEN
hyperbolic https://api.hyperbolic.xyz/v1 HYPERBOLIC_API_KEY
iflowcn https://apis.iflow.cn/v1 IFLOW_API_KEY
inception https://api.inceptionlabs.ai/v1 INCEPTION_API_KEY
inceptron https://api.inceptron.io/v1 INCEPTRON_API_KEY
inference https://inference.net/v1 INFERENCE_API_KEY
io-net https://api.intelligence.io.solutions/api/v1 IOINTELLIGENCE_API_KEY
jiekou https://api.jiekou.ai/openai JIEKOU_API_KEY
kilo https://api.kilo.ai/api/gateway KILO_API_KEY
kimi-for-coding messages:https://api.kimi.com/coding/v1 KIMI_API_KEY
kuae-cloud-coding-plan https://coding-plan-endpoint.kuaecloud.net/v1 KUAE_API_KEY
lilac https://api.getlilac.com/v1 LILAC_API_KEY
llama https://api.llama.com/compat/v1 LLAMA_API_KEY
llmgateway https://api.llmgateway.io/v1 LLMGATEWAY_API_KEY
llmtr https://llmtr.com/v1 LLMTR_API_KEY
lucidquery https://api.lucidquery.com/v1 LUCIDQUERY_API_KEY
meganova https://api.meganova.ai/v1 MEGANOVA_API_KEY
minimax messages:https://api.minimax.io/anthropic/v1 MINIMAX_API_KEY
minimax-cn messages:https://api.minimaxi.com/anthropic/v1 MINIMAX_API_KEY
minimax-cn-coding-plan messages:https://api.minimaxi.com/anthropic/v1 MINIMAX_API_KEY
minimax-coding-plan messages:https://api.minimax.io/anthropic/v1 MINIMAX_API_KEY
mixlayer https://models.mixlayer.ai/v1 MIXLAYER_API_KEY
moark https://moark.com/v1 MOARK_API_KEY
modelscope https://api-inference.modelscope.cn/v1 MODELSCOPE_API_KEY
moonshotai-cn https://api.moonshot.cn/v1 MOONSHOT_API_KEY
morph https://api.morphllm.com/v1 MORPH_API_KEY
nano-gpt https://nano-gpt.com/api/v1 NANO_GPT_API_KEY
nearai https://cloud-api.near.ai/v1 NEARAI_API_KEY
nebius https://api.tokenfactory.nebius.com/v1 NEBIUS_API_KEY
neuralwatt https://api.neuralwatt.com/v1 NEURALWATT_API_KEY
nova https://api.nova.amazon.com/v1 NOVA_API_KEY
novita https://api.novita.ai/openai NOVITA_API_KEY
ollama-cloud https://ollama.com/v1 OLLAMA_API_KEY
opencode https://opencode.ai/zen/v1 OPENCODE_API_KEY
opencode-go https://opencode.ai/zen/go/v1 OPENCODE_API_KEY
orcarouter https://api.orcarouter.ai/v1 ORCAROUTER_API_KEY
ovhcloud https://oai.endpoints.kepler.ai.cloud.ovh.net/v1 OVHCLOUD_API_KEY
perplexity-agent https://api.perplexity.ai/v1 PERPLEXITY_API_KEY
poe https://api.poe.com/v1 POE_API_KEY
poolside https://inference.poolside.ai/v1 POOLSIDE_API_KEY
qihang-ai https://api.qhaigc.net/v1 QIHANG_API_KEY
qiniu-ai https://api.qnaigc.com/v1 QINIU_API_KEY
regolo-ai https://api.regolo.ai/v1 REGOLO_API_KEY
requesty https://router.requesty.ai/v1 REQUESTY_API_KEY
routing-run https://ai.routing.sh/v1 ROUTING_RUN_API_KEY
sakana https://api.sakana.ai/v1 SAKANA_API_KEY
sambanova https://api.sambanova.ai/v1 SAMBANOVA_API_KEY
sarvam https://api.sarvam.ai/v1 SARVAM_API_KEY
scaleway https://api.scaleway.ai/v1 SCALEWAY_API_KEY
siliconflow https://api.siliconflow.com/v1 SILICONFLOW_API_KEY
siliconflow-cn https://api.siliconflow.cn/v1 SILICONFLOW_CN_API_KEY
stackit https://api.openai-compat.model-serving.eu01.onstackit.cloud/v1 STACKIT_API_KEY
stepfun https://api.stepfun.com/v1 STEPFUN_API_KEY
stepfun-ai https://api.stepfun.ai/step_plan/v1 STEPFUN_API_KEY
subconscious https://api.subconscious.dev/v1 SUBCONSCIOUS_API_KEY
submodel https://llm.submodel.ai/v1 SUBMODEL_INSTAGEN_ACCESS_KEY
synthetic https://api.synthetic.new/openai/v1 SYNTHETIC_API_KEY
tencent-coding-plan https://api.lkeap.cloud.tencent.com/coding/v3 TENCENT_CODING_PLAN_API_KEY
tencent-tokenhub https://tokenhub.tencentmaas.com/v1 TENCENT_TOKENHUB_API_KEY
the-grid-ai https://api.thegrid.ai/v1 THEGRIDAI_API_KEY
tinfoil https://inference.tinfoil.sh/v1 TINFOIL_API_KEY
umans-ai https://api.code.umans.ai/v1 UMANS_AI_API_KEY
umans-ai-coding-plan https://api.code.umans.ai/v1 UMANS_AI_CODING_PLAN_API_KEY
upstage https://api.upstage.ai/v1/solar UPSTAGE_API_KEY
v0 https://api.v0.dev/v1 V0_API_KEY
venice https://api.venice.ai/api/v1 VENICE_API_KEY
vercel https://ai-gateway.vercel.sh/v1 AI_GATEWAY_API_KEY
vivgrid https://api.vivgrid.com/v1 VIVGRID_API_KEY
vultr https://api.vultrinference.com/v1 VULTR_API_KEY
wafer https://pass.wafer.ai/v1 WAFER_API_KEY
wandb https://api.inference.wandb.ai/v1 WANDB_API_KEY
xiaomi https://api.xiaomimimo.com/v1 XIAOMI_API_KEY
xiaomi-token-plan-ams https://token-plan-ams.xiaomimimo.com/v1 XIAOMI_API_KEY
xiaomi-token-plan-cn https://token-plan-cn.xiaomimimo.com/v1 XIAOMI_API_KEY
xiaomi-token-plan-sgp https://token-plan-sgp.xiaomimimo.com/v1 XIAOMI_API_KEY
xpersona https://www.xpersona.co/v1 XPERSONA_API_KEY
zai-coding-plan https://api.z.ai/api/coding/paas/v4 ZHIPU_API_KEY
zeldoc https://api.zeldoc.ai/v1 ZELDOC_API_KEY
zenmux https://zenmux.ai/api/v1 ZENMUX_API_KEY
zhipuai https://open.bigmodel.cn/api/paas/v4 ZHIPU_API_KEY
zhipuai-coding-plan https://open.bigmodel.cn/api/coding/paas/v4 ZHIPU_API_KEY
`
function rowsOf(table: string): Host[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', url = '', variable] = line.split(' ')
      // Of Messages the base URL ends before `/v1`, as Anthropic's own client has it.
      const isMessages = url.startsWith('messages:')
      const baseUrl = isMessages ? url.slice('messages:'.length).replace(/\/v1$/, '') : url
      return { id, format: isMessages ? 'anthropic-messages' : 'openai-chat', baseUrl, variable }
    })
}

/** Every host, by id. A connection with `provider: ID` needs no base URL. */
export const hosts: ReadonlyMap<string, Host> = new Map(
  [...rowsOf(tested), ...rowsOf(listed)].map((host) => [host.id, host]),
)

/**
 * Connections that exist as soon as their key does: one per host, under the host's id, where a gateway finds the
 * usual variable; and those of local servers, where a gateway is told in `SIGNALBOX_LOCAL_SERVERS` that one runs. A
 * workspace that declares the same name replaces it.
 */
export const hostConnections: Readonly<Record<string, Connection>> = Object.fromEntries(
  [...hosts.values()].map(({ id, variable }) => [
    id,
    variable === undefined
      ? { provider: id, locality: 'on-prem' }
      : { provider: id, credential: `env:${variable}` },
  ]),
)
