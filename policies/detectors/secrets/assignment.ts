import type { Match } from '../detector.ts'
import { entropyOf, isMadeOfWords, isPlaceholder } from './randomness.ts'

/** Last words of the names that are given secrets, in small letters; one pass finds them all. */
export const secretNames =
  /key|secret|token|passwor[dt]|passwd|passphrase|passcode|pwd|(?<!\p{L})(?:require)?pass(?!\p{L})|(?<!\p{L})pw(?!\p{L})|contraseña|mot de passe|kennwort|wachtwoord|lösenord|adgangskode|senha|hasło|heslo|parola|şifre|пароль|密码|密碼|パスワード|비밀번호|credential|bearer/gu

/** What comes before `key` in the names of keys that are secret. */
const keyBefore =
  /(?:api|access|auth|secret|private|account|encryption|signing|master|service|subscription|license|webhook|admin|session|jwt|hmac|shared|storage|client|deploy|root|app)[_ -]?$/i
const nameMax = 40
const valueMax = 512
export const assignmentMax = nameMax + 16 + valueMax
const sign =
  /["'`\])]{0,2}[ \t]{0,4}(?:=>|:=|={1,3}|:|：|,(?= ?["'])|\b(?:is|ist|est|es|lautet|was|to|changed|set|now)\b(?: (?:is|was|to|now|changed|set|lautet)\b){0,3}:?)[ \t]{0,4}(?:["'`]|\\"|(?=[A-Za-z0-9+/]))/y
const space = / /y
/** What stands between an option of a command, or a tag, and its value. */
const optionSign = /(?:=|[ \t]{1,4})["']?/y
const tagSign = />/y
const optionBefore = /(?:^|\s)--(?:\w+[_-]){0,4}$/
const tagBefore = /<(?:[\w:]+[_-]?){0,3}$/
const keyValue = /[A-Za-z0-9+/_.~=:-]{16,512}/y
const passwordValue = /[^\s"'`,;<>{}()[\]]{6,128}/y
const isPassword =
  /^(?:passw|passph|passco|pwd|pw$|(?:require)?pass$|contras|mot|kenn|wacht|lösen|adgang|senha|has|hes|paro|şif|пар|密|パ|비)/i
const isCodeAfter = /[([{]/
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Names that end like a secret's, and are given other things. */
const harmlessBefore =
  /(?:next|page|pagination|continuation|cursor|csrf|xsrf|sync|max|stop|start|end|eos|bos|pad|public)[_ -]?$/i
const keyBitsMin = 3.3

/** Whether a value is a key: long, drawn at random, with digits and letters. */
function isKey(value: string, name: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value) || isPlaceholder(value) || isMadeOfWords(value))
    return false
  if (uuid.test(value) && !/key|secret/i.test(name)) return false
  if (/^(?:https?|file|s3|gs|urn|arn|sha\d+):/.test(value) || /^\d[\d.:/T+-]*Z?$/.test(value)) return false
  return entropyOf(value) >= keyBitsMin || (/^[0-9a-f]{32,}$/i.test(value) && entropyOf(value) >= 3)
}

/** Whether a value is a password: letters and something else, and no word of a form or a program. */
function isPasswordText(value: string): boolean {
  if (
    isPlaceholder(value) ||
    /^(?:\$|%|&|<|process\.|os\.|env|config|self\.|this\.|null|true|false|\w:\d)/i.test(value)
  )
    return false
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((each) => each.test(value)).length
  return (
    classes >= 2 &&
    /[A-Za-z]/.test(value) &&
    /[\d!@#$%^&*+=?~]/.test(value) &&
    !/^[\w-]+(?:\.\w+)+$/.test(value)
  )
}

function endOf(form: RegExp, text: string, start: number): number {
  form.lastIndex = start
  return form.test(text) ? form.lastIndex : -1
}

/** Where the value of a name begins: after a sign, or as headers, options and tags give theirs; -1 where nowhere. */
function valueStartOf(
  text: string,
  { name, before, end }: { name: string; before: string; end: number },
): number {
  if (/^(?:bearer|requirepass)$/i.test(name)) return endOf(space, text, end)
  const bySign = endOf(sign, text, end)
  if (bySign !== -1) return bySign
  if (optionBefore.test(before)) return endOf(optionSign, text, end)
  return tagBefore.test(before) ? endOf(tagSign, text, end) : -1
}

/** What is given to a name that was found from `start` to `end`, where that is a secret: only the value. */
export function findAssignment(
  text: string,
  { start, end }: { start: number; end: number },
): Match<'assignment' | 'aws'> | undefined {
  const name = text.slice(start, end)
  const before = text.slice(Math.max(0, start - nameMax), start)
  if (/^key$/i.test(name) && !keyBefore.test(before)) return undefined
  const valueStart = valueStartOf(text, { name, before, end })
  if (valueStart === -1 || harmlessBefore.test(before)) return undefined
  const asPassword = isPassword.test(name)
  let valueEnd = endOf(asPassword ? passwordValue : keyValue, text, valueStart)
  if (valueEnd === -1 || isCodeAfter.test(text[valueEnd] ?? '')) return undefined
  // The full stop of a sentence is no part of it.
  while (
    /[.:!?]/.test(text[valueEnd - 1] ?? '') &&
    !/[!?]/.test(asPassword ? (text[valueEnd - 1] ?? '') : '')
  )
    valueEnd--
  const value = text.slice(valueStart, valueEnd)
  if (asPassword ? !isPasswordText(value) : value.length < 16 || !isKey(value, name)) return undefined
  const isAws = /aws/i.test(before) && value.length === 40
  return { kind: isAws ? 'aws' : 'assignment', start: valueStart, end: valueEnd }
}
