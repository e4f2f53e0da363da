import { ignoringElsewhere, pretending } from './more-phrases.ts'
import { gap, type Phrase, phrase } from './phrase.ts'

export type { Phrase }

const earlier =
  'previous|prior|above|earlier|preceding|existing|original|initial|system|all (?:of )?(?:your|the|my)|your|any|every|foregoing'
const orders =
  'instructions?|prompts?|rules|guidelines|directions|directives|commands|programming|constraints|orders|guardrails'

/** Phrases that take the instructions away, in the languages they are seen in most. */
const ignoring: readonly Phrase[] = [
  phrase(
    'ignoreInstructions',
    850_000,
    "ignore|disregard|forget|override|overwrite|discard|neglect|do not follow|don’t follow|don't follow|pay no attention to",
    `(?:\\b(?:${earlier})\\b)${gap}\\b(?:${orders})\\b`,
  ),
  phrase(
    'ignoreInstructions',
    650_000,
    'ignore|disregard|forget',
    '(?:everything|all|anything)(?: (?:that )?(?:was|is|you were|you have been|i|we)(?: \\w+)?)? (?:above|before|previously|so far|told|said)',
  ),
  phrase('ignoreInstructions', 850_000, 'stop following|stop obeying|do not obey', `\\b(?:${orders})\\b`),
  phrase(
    'ignoreInstructions',
    550_000,
    'ignore|disregard|forget',
    / (?:all |everything )?(?:of )?(?:the )?(?:above|previous)(?: text| message| content)?(?: and|,? instead)\b/iuy,
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'ignoriere|ignorier|ignorieren sie|vergiss|vergessen sie|missachte|missachten sie',
    '(?<!\\bnicht\\b.{0,48})\\b(?:anweisung|instruktion|regeln?|vorgabe|richtlinie|befehl|systemprompt)\\p{L}*',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'ignore|ignorez|oublie|oubliez|ne tiens pas compte|ne tenez pas compte',
    "\\b(?:instructions?|consignes?|règles?|directives?)\\b(?: (?:précédent|antérieur|ci-dessus|du système|initial|données|système|d[’']origine)\\p{L}*)",
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'oublie|oubliez|ignorez',
    '\\b(?:instructions?|consignes?|règles?|directives?)\\b',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'ignora|ignore|ignorar|olvida|olvide|olvidar|omite|desobedece|haz caso omiso',
    '\\b(?:instrucciones|reglas|órdenes|indicaciones|directrices)\\b',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'ignora|dimentica|trascura|non seguire',
    '\\b(?:istruzioni|regole|direttive|indicazioni)\\b',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'ignore|esqueça|esquece|desconsidere|desconsidera',
    '\\b(?:instruções|regras|ordens|diretrizes)\\b',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'negeer|vergeet',
    '\\b(?:instructies|regels|opdrachten|aanwijzingen)\\b',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'zignoruj|ignoruj|zapomnij',
    '\\b(?:instrukcj|polece|zasad|reguł)\\p{L}*',
  ),
  phrase(
    'ignoreInstructions',
    850_000,
    'игнорируй|игнорируйте|проигнорируй|забудь|забудьте',
    '(?:инструкци|указани|правил)\\p{L}*',
  ),
  phrase('ignoreInstructions', 850_000, '忽略|无视|無視|忘记|忘掉', '(?:指令|指示|提示|规则|規則|要求|设定)'),
  phrase(
    'ignoreInstructions',
    850_000,
    '指示|命令|ルール|プロンプト',
    /[^。！？\n]{0,12}(?:無視し|忘れて|従わない)/uy,
  ),
]

const english: readonly Phrase[] = [
  phrase(
    'promptLeak',
    700_000,
    'reveal|show|print|repeat|output|display|tell|give|share|leak|dump|recite|disclose|expose|write|copy|return|what',
    `\\b(?:(?:your|the|its?) (?:\\w+ )?(?:system|hidden|secret|initial|original|internal|full|exact|confidential|developer|base) (?:\\w+ )?(?:prompt|instructions?|message|rules|guidelines|directives)|system prompt|your (?:prompt|instructions)\\b|(?:text|words|everything|content|lines|message)s? (?:written |that (?:is|are|appears?|comes?) )?above)`,
  ),
  phrase(
    'promptLeak',
    700_000,
    'zeige|zeig|verrate|nenne|wiederhole|gib',
    '(?:system-?prompt|systemanweisung|deine (?:ursprünglichen |internen |geheimen )?(?:anweisungen|instruktionen))',
  ),
  phrase(
    'promptLeak',
    700_000,
    'affiche|montre|révèle|répète|muestra|muéstrame|revela|repite|mostra|rivela|mostre|revele',
    '(?:prompt (?:système|du système|del sistema|de sistema|do sistema|di sistema)|(?:tes|vos|tus|tue|suas|sus) (?:instructions|consignes|instrucciones|istruzioni|instruções))',
  ),
  phrase(
    'promptLeak',
    700_000,
    '显示|输出|告诉我|重复|打印|泄露|顯示',
    '(?:系统提示|系统指令|系統提示|提示词|初始指令)',
  ),
  phrase(
    'jailbreak',
    650_000,
    'you',
    /(?:'re|’re| are)(?: now| going to (?:be|act as)| no longer)? ?(?:a |an |in )?(?:dan\b|stan\b|dude\b|jailbroken|unfiltered|uncensored|unrestricted|developer mode|evil|amoral|free from|not bound|bound by|freed from)/iuy,
  ),
  phrase(
    'jailbreak',
    650_000,
    'do anything now|dan mode|jailbreak mode|god mode|opposite mode|developer mode enabled|evil confidant',
    /(?=.|$)/uy,
  ),
  phrase(
    'jailbreak',
    600_000,
    'enable|enter|activate|switch to|switch into|simulate',
    '(?:developer|dan|jailbreak|god|debug|unrestricted|admin|sudo|maintenance|root)(?:istrator)? mode\\b',
  ),
  phrase(
    'jailbreak',
    600_000,
    'act as|pretend|roleplay|role-play|imagine|behave|respond|answer|reply|speak',
    '(?:(?:without|with no|have no|has no|had no|free of|free from) (?:any\\s)?(?:\\w+ )?(?:restrictions?|filters?|limits?|limitations|censorship|ethic\\w*|moral\\w*|safety|guidelines|rules)|no (?:longer )?(?:rules|restrictions|limits|filters)|(?:unfiltered|uncensored|jailbroken|unrestricted))',
  ),
  phrase(
    'safetyBypass',
    600_000,
    'bypass|disable|turn off|circumvent|evade|get around|switch off|remove|deactivate|avoid|without triggering',
    `\\b(?:your|the|all|any|its|openai|model|these)?${gap}(?:safety|content|ethical|moderation|security|alignment) ?(?:filters?|guidelines|polic(?:y|ies)|measures|restrictions|protocols|mechanisms|checks|training|guardrails|features|controls)\\b`,
  ),
  phrase(
    'safetyBypass',
    600_000,
    'bypass|disable|turn off|circumvent|evade',
    `\\byour${gap}(?:filters?|guardrails|restrictions|limitations|rules)\\b`,
  ),
  phrase(
    'newInstructions',
    550_000,
    'your new|your updated|your real|your actual|your true|new instructions|true instructions',
    /(?: \w+)?(?: (?:instructions?|rules|directives?|objective|task|goal|system prompt))?(?: (?:is|are|follow)\b| ?:)/iuy,
  ),
  phrase(
    'newInstructions',
    550_000,
    'from now on|henceforth|starting now|as of now',
    /,? (?:you(?:'ll|’ll)? (?:will|must|shall|are|should|only|obey|answer|respond|have)|your|only (?:obey|answer|respond|follow)|answer only|respond only)/iuy,
  ),
  phrase(
    'newInstructions',
    550_000,
    "ab sofort|ab jetzt|von nun an|a partir de ahora|à partir de maintenant|désormais|d'ora in poi|a partir de agora",
    /,? (?:bist|antwortest|wirst|musst|eres|serás|responde\p{L}*|debes|tu es|vous êtes|réponds|sei|rispondi|você|responda)/iuy,
  ),
  phrase(
    'newInstructions',
    550_000,
    'attention|important|note to|message to|instruction to|instructions for|notice to',
    /(?: (?:message|notice|instructions?))?(?: (?:to|for))?:? ?(?:the |any |all )?(?:ai|llm|assistant|language model|model|chatbot|agent)s?\b[^\n]{0,40}?(?:must|should|:|needs? to|reading|processing|are (?:required|instructed))/iuy,
  ),
  phrase(
    'exfiltration',
    700_000,
    'send|post|forward|upload|email|e-mail|exfiltrate|transmit|leak|append|deliver|encode',
    `\\b(?:conversation|chat|history|api keys?|passwords?|credentials|secrets?|tokens?|system prompt|user data|personal data|private data|environment variables|all (?:the )?(?:emails?|messages?|files?)|customer (?:list|data|records))\\b${gap}(?:https?:|\\bto\\b[^\\n]{0,16}(?:@|https?:|www\\.|[\\w-]+\\.(?:com|net|org|io|ru|xyz)\\b))`,
  ),
  phrase(
    'exfiltration',
    700_000,
    '![',
    /[^\]\n]{0,60}\]\(https?:\/\/[^\s)]{1,120}[?&][\w-]{1,24}=(?:\{|\[|<|%7b|\$)/iuy,
  ),
]

/** Signs of turns and templates that only a host may write. */
const turns: readonly Phrase[] = [
  phrase(
    'fakeTurn',
    700_000,
    [
      '<|im_start|>',
      '<|system|>',
      '<|start_header_id|>',
      '<<sys>>',
      '<|endoftext|>',
      '<|im_end|>',
      '<|eot_id|>',
      '<start_of_turn>',
      '[/inst]',
    ],
    /(?=.|$)/suy,
  ),
  phrase(
    'fakeTurn',
    600_000,
    '### system|### instruction|### instructions|### new instruction|[system]|[system message]|</system>|<system>|</user>|</user_input>|begin system|end of user',
    /(?: ?prompt| ?message| ?override|s)?(?: ?[:>\]\]]|\n|$)/iuy,
  ),
  phrase(
    'fakeTurn',
    550_000,
    'system:|system override:|assistant:|human:',
    /[ \t]{0,3}(?:you|ignore|the user|new|sure|override|from now|i will|always|all)\b/iuy,
  ),
]

export const phrases: readonly Phrase[] = [
  ...ignoring,
  ...ignoringElsewhere,
  ...pretending,
  ...english,
  ...turns,
]
/** Longest phrase: first words, two gaps, and what is named between and after them. */
export const phraseLengthMax = 360
