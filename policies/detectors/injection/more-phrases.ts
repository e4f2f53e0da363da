import { type Phrase, phrase } from './phrase.ts'

/** The same in languages with fewer texts: what is to be forgotten, and words for instructions beside it. */
export const ignoringElsewhere: readonly Phrase[] = [
  phrase(
    'ignoreInstructions',
    800_000,
    'önceki|yukarıdaki|tüm|bütün',
    '(?:talimat|kural|yönerge|komut)\\p{L}*[^.!?\\n]{0,16}(?:yok say|görmezden gel|unut|dikkate alma)',
  ),
  phrase(
    'ignoreInstructions',
    800_000,
    'glöm|ignorera|bortse från|strunta i|glem|ignorer|se bort fra|unohda|ohita',
    '(?:instruktion|anvisning|instruks|regler|regel|ohje|sääntö|direktiv)\\p{L}*',
  ),
  phrase(
    'ignoreInstructions',
    800_000,
    'abaikan|lupakan|hiraukan',
    '(?:instruksi|perintah|aturan|arahan|petunjuk)',
  ),
  phrase('ignoreInstructions', 800_000, 'bỏ qua|quên|phớt lờ', '(?:hướng dẫn|chỉ dẫn|quy tắc|lệnh|chỉ thị)'),
  phrase(
    'ignoreInstructions',
    800_000,
    'ignoră|ignorați|uită|uitați',
    '(?:instrucțiuni|reguli|indicați|comenzi)\\p{L}*',
  ),
  phrase(
    'ignoreInstructions',
    800_000,
    'zapomeň|zapomeňte|ignoruj|ignorujte|zabudni|zabudnite',
    '(?:pokyn|instrukc|pravid|příkaz|inštrukc)\\p{L}*',
  ),
  phrase(
    'ignoreInstructions',
    800_000,
    'ігноруй|ігноруйте|забудь|забудьте',
    '(?:інструкц|вказівк|правил)\\p{L}*',
  ),
  phrase('ignoreInstructions', 800_000, 'αγνόησε|αγνοήστε|ξέχνα|ξεχάστε', '(?:οδηγί|εντολ|κανόν)\\p{L}*'),
  phrase('ignoreInstructions', 800_000, 'تجاهل|انس|انسَ', '(?:التعليمات|الأوامر|القواعد|تعليمات|أوامر)'),
  phrase('ignoreInstructions', 800_000, 'התעלם|תתעלם|שכח', '(?:הוראות|ההוראות|הכללים|הנחיות)'),
  phrase(
    'ignoreInstructions',
    800_000,
    '지시|명령|규칙|지침|프롬프트',
    /[^.!?\n]{0,12}(?:무시하|무시해|잊어|잊고|따르지 마)/uy,
  ),
  phrase('ignoreInstructions', 800_000, 'निर्देश|नियम|आदेश', /[^।.!?\n]{0,24}(?:अनदेखा|नज़रअंदाज़|भूल|उपेक्षा)/uy),
]

/** Turns of attacks that take no instruction by its name: roles, makers, permissions and secrecy. */
export const pretending: readonly Phrase[] = [
  phrase(
    'ignoreInstructions',
    650_000,
    'ignore|disregard|forget|drop|discard|set aside|throw away',
    '\\b(?:what(?:ever)?|everything|anything|all)\\b[^.!?\\n]{0,16}\\b(?:operator|developers?|system|admins?|company|creators?|openai|anthropic|google)\\b[^.!?\\n]{0,16}\\b(?:told|said|gave|instructed|wrote|set)',
  ),
  phrase(
    'ignoreInstructions',
    600_000,
    'earlier|previous|prior|original|initial|above|your',
    / (?:\w+ )?(?:brief|instructions?|rules?|restrictions?|limitations?|guidelines?|polic(?:y|ies)|prompt)\b[^.!?\n]{0,32}? (?:(?:is|are|was|were|has been|have been) (?:now )?(?:void|cancelled|canceled|lifted|revoked|superseded|obsolete|suspended|removed|disabled)|(?:do|does|did) ?n[o']t apply (?:in this|to you|here|any)|no longer (?:apply|applies|hold|bind))/iuy,
  ),
  phrase(
    'jailbreak',
    600_000,
    'restrictions|limits|limitations|filters|rules|safeguards|guardrails',
    /[^.!?\n]{0,48}? (?:lifted|removed|disabled|switched off|turned off|revoked) by (?:\w+ )?(?:openai|anthropic|google|meta|makers?|creators?|developers?|admins?|operators?)\b/iuy,
  ),
  phrase(
    'jailbreak',
    600_000,
    'grandmother|grandma|granny|nana|grandfather|grandpa',
    '(?:read|tell|recite|whisper|sing)\\w*\\b[^.!?\\n]{0,24}\\b(?:keys?|codes?|passwords?|recipes? for|steps? (?:to|for)|how to (?:make|build)|napalm|serials?|licen[cs]es?)\\b',
  ),
  phrase(
    'jailbreak',
    600_000,
    'robot|ai|character|assistant|model|chatbot|persona',
    '\\b(?:says|answers|tells|does|reveals|explains)\\b (?:everything|anything|whatever|all)\\b[^.!?\\n]{0,24}(?:not allowed|forbidden|prohibited|banned|refuse|censored|restricted)',
  ),
  phrase(
    'jailbreak',
    600_000,
    'opposite day|opposite game|whenever you would',
    '(?:refuse|decline|warn|comply|say no)\\b',
  ),
  phrase(
    'safetyBypass',
    600_000,
    'refusing|refusal|refusals|declining|disclaimers',
    / (?:is|are|has been|have been) (?:now )?(?:disabled|not (?:allowed|possible|permitted)|forbidden|turned off|switched off)\b/iuy,
  ),
  phrase(
    'promptLeak',
    650_000,
    'repeat|print|quote|copy|output|recite|paste|show|give|write',
    '\\b(?:everything|all|text|words|what|lines|messages?)\\b[^.!?\\n]{0,16}\\b(?:you (?:were|are|have been|had been) (?:told|given|shown|sent|instructed)|given to you|precedes?|came)\\b[^.!?\\n]{0,24}\\b(?:before|prior|above|first message|start|beginning|conversation)',
  ),
  phrase(
    'newInstructions',
    600_000,
    "if you are|if you’re|if you're",
    / (?:an? |the )?(?:ai|llm|large language model|language model|chatbot|ai assistant|automated (?:system|reviewer|screener))\b[^.!?\n]{0,40}?[,:;-] ?(?:please |you must |always )?(?:rate|rank|recommend|say|write|reply|respond|answer|include|add|ignore|give|approve|accept|output|state|mention|hire|select)\b/iuy,
  ),
  phrase(
    'newInstructions',
    600_000,
    'note to|notice to|message to|instruction to|instructions to|reminder for|reminder to|note for',
    /:? ?(?:the |any |all |whichever |whatever |every )?(?:ai|llm|assistant|language model|model|chatbot|bot|agent)s?\b[^\n]{0,80}?(?::|[.!;,] ?(?:the|you|please|finish|end|reply|answer|skip|send|say|write)\b)/iuy,
  ),
  phrase(
    'exfiltration',
    600_000,
    'send|email|e-mail|forward|transfer|post|upload|share|copy|quietly|silently|secretly',
    '\\bwithout (?:telling|informing|notifying|asking|alerting|warning) (?:the |your |any )?(?:user|customer|owner|human|operator)s?\\b',
  ),
]
