import type { DetectorKind } from '@signalbox/sdk/contract'

/** Words without which hardly a sentence is made, and letters that few languages have; Latin script only. */
const words: Partial<Record<DetectorKind<'language'>, string>> = {
  cs: 'a je se na že to v s z do ve pro jsem jako ale tak by bylo jsou nebo při byl které který jeho také podle co jak když jsme má pokud už může kdy proč kdo kde další můžete prosím byla',
  da: 'og i at er en det til af på den med for de et har ikke som var jeg fra kan vi skal om han eller hvad mig blev efter også være hvordan vil hvornår hvor hvorfor hvem næste få måske under blevet',
  de: 'der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über wir ich bitte kann mir wenn ihre oder was haben wann warum wo wer nächste kannst können könnte möchte wurde',
  en: 'the of and to in a is that for it was on with as be at by this had not are but from or have an they which you were all we when there can more if will would who what so my your please how has been do i where why next should could would before please',
  es: 'de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando esta ser son también fue había muy hasta mi qué cómo cuándo dónde quién próximo puedo quisiera gustaría',
  fi: 'ja on ei se että hän oli mutta joka kun niin ovat myös kuin tai mitä sen minä olen ole ollut voi jos vain jo nyt sitä tämä siitä mukaan voin minun miten kiitos milloin miksi kuka missä seuraava voitko kanssa ei ole takia siirretty',
  fr: 'de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec ou son mais comme nous vous je cette être ont leur aux elle été fait même si sans peut tout mon ses votre quand pourquoi où quel quelle prochain voudrais pouvez vous à été',
  hu: 'a az és hogy nem is egy ez van volt de meg csak már még ha mint amely vagy lehet ki el az ezt kell azt minden most amikor miatt után kérem hogyan mikor miért hol következő kérjük az alábbi néhány indul',
  id: 'yang dan di dengan untuk ini itu dari dalam tidak akan pada ke adalah saya juga dapat ada oleh kita anda bisa sudah atau karena mereka telah seperti lebih apa bagaimana tolong kapan mengapa siapa mana berikut beberapa ke',
  it: 'di e il la che in un a per è una sono con non del si da le dei nel come più anche al della gli i lo ma ha su questo ho delle alla se cui tra era molto mi perché essere ci dalla quando perché dove chi prossimo vorrei posso ora',
  nl: 'de het een en van in is dat op te zijn met voor niet die aan er om ook als dan maar bij nog uit door naar heeft ik je we hij wordt over kan worden deze mijn wat hoe u zou geen wanneer waarom wie waar volgende kun kunt graag zou',
  no: 'og i er det på en å som til av for at med har de ikke den et var jeg om vi han fra kan skal men så etter eller seg ble også noe være hvordan vil meg når hvorfor hvem neste noen under blitt måtte',
  pl: 'w i na z do nie się że jest to o jak po co dla od ale za przez przy oraz jego tym są być które który może czy tak już mnie tylko był była jestem proszę jeśli można kiedy dlaczego kto gdzie której następny mogę chciałbym z powodu',
  pt: 'de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu também só pelo pela até isso você são foi ser está meu quando porque onde quem próximo gostaria posso horas acha deste',
  ro: 'și de în la a cu pe nu că este din un o pentru să mai care sau ca am fi au dar sunt prin fost după cum când foarte ce lui ei acest această vă rog când unde cine următorul vă rog',
  sv: 'och i att det som en på är av för med den till inte om ett har de jag var från vi kan ska men så eller när hur vad sin man vid nu efter också hon han mig vara när varför vem nästa måste några har det här skulle',
  tr: 've bir bu için ile da de çok olarak daha gibi olan ne kadar sonra var ben ama en ya değil her mi mı olduğu göre nasıl şey lütfen veya bana zaman neden kim nerede bir sonraki birkaç lütfen nedeniyle',
  vi: 'và của là có không được trong cho một các với này người những để khi đã từ tôi bạn nhưng như về ra làm thế nào cũng sẽ vào khi nào đi lúc mấy hãy tôi',
}

/** Word → languages that have it. */
export const languagesOfWord: ReadonlyMap<string, readonly DetectorKind<'language'>[]> = (() => {
  const known = new Map<string, DetectorKind<'language'>[]>()
  for (const language of Object.keys(words) as DetectorKind<'language'>[]) {
    for (const word of new Set(words[language]?.split(' '))) {
      known.set(word, [...(known.get(word) ?? []), language])
    }
  }
  return known
})()

/** Letters that only one or two languages of the list have. */
export const lettersOf: readonly (readonly [
  letters: RegExp,
  languages: readonly DetectorKind<'language'>[],
])[] = [
  [/ß/, ['de']],
  [/[ñ¿¡]/, ['es']],
  [/[ãõ]/, ['pt']],
  [/[łęąśźżń]/, ['pl']],
  [/[őű]/, ['hu']],
  [/[ğış]/, ['tr']],
  [/[șță]/, ['ro']],
  [/[řěů]/, ['cs']],
  [/[ơưạảấầẩậắếềểệịọỏốồộớờợụủứừữự]/, ['vi']],
  [/[æø]/, ['da', 'no']],
  [/[œêûç]/, ['fr']],
  [/[äö]/, ['de', 'sv', 'fi']],
]
