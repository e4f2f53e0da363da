import type { DetectorKind } from '@signalbox/sdk/contract'

type Kind = DetectorKind<'code'>

/** Names that authors give to fenced blocks. */
export const namedBlocks: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...(['c', 'csharp', 'css', 'go', 'html', 'java', 'javascript', 'json'] as const).map(
    (k) => [k, k] as const,
  ),
  ...(['kotlin', 'php', 'python', 'ruby', 'rust', 'shell', 'sql', 'typescript', 'xml', 'yaml'] as const).map(
    (k) => [k, k] as const,
  ),
  ...(['cpp', 'c++', 'h', 'hpp', 'cc'] as const).map((k) => [k, 'c'] as const),
  ...(['js', 'jsx', 'mjs', 'node'] as const).map((k) => [k, 'javascript'] as const),
  ...(['ts', 'tsx'] as const).map((k) => [k, 'typescript'] as const),
  ...(['py', 'python3', 'ipython'] as const).map((k) => [k, 'python'] as const),
  ...(['sh', 'bash', 'zsh', 'console', 'powershell', 'ps1', 'fish'] as const).map(
    (k) => [k, 'shell'] as const,
  ),
  ...(['cs', 'c#'] as const).map((k) => [k, 'csharp'] as const),
  ['golang', 'go'],
  ['kt', 'kotlin'],
  ['rb', 'ruby'],
  ['rs', 'rust'],
  ['yml', 'yaml'],
  ['jsonc', 'json'],
  ['postgresql', 'sql'],
  ['mysql', 'sql'],
  ['scss', 'css'],
  ['svg', 'xml'],
])
/** Blocks that are fenced and hold no program. */
export const plainBlocks: ReadonlySet<string> = new Set([
  'text',
  'txt',
  'plain',
  'plaintext',
  'markdown',
  'md',
  'log',
  'output',
])

/** A line as it begins in one language: anchored, so that a line is gone through once. */
export interface LineForm {
  readonly kinds: readonly Kind[]
  readonly form: RegExp
}
const line = (kinds: string, form: RegExp): LineForm => ({ kinds: kinds.split(' ') as Kind[], form })

/** Lines that hardly anything but a program has. */
export const lineForms: readonly LineForm[] = [
  line('python', /^\s*(?:async )?def \w+\(.*\)(?: ?-> ?[^:]+)?:\s*(?:#.*)?$/),
  line('python', /^\s*(?:from [\w.]+ import [\w*(]|import [\w.]+(?: as \w+)?(?:, [\w.]+)*\s*$)/),
  line(
    'python',
    /^\s*(?:if __name__|elif .+:\s*$|except(?: [\w.]+)?(?: as \w+)?:\s*$|with .+ as \w+:\s*$|@\w[\w.]*(?:\(.*\))?\s*$|for \w+(?:, ?\w+)* in .+:\s*$|print\(.*\)\s*$)/,
  ),
  line(
    'typescript',
    /^\s*(?:export )?(?:interface \w+(?:<.*>)? (?:extends .+)?\{|type \w+(?:<.*>)? = |enum \w+ \{)/,
  ),
  line(
    'typescript',
    /^\s*(?:export )?(?:const|let|(?:async )?function) ?\w+.*: ?(?:string|number|boolean|void|Promise<|Record<|readonly )/,
  ),
  line(
    'javascript typescript',
    /^\s*(?:export (?:default |const |function |class )|import (?:[\w*{][^'"]{0,120} from )?['"])/,
  ),
  line('javascript typescript', /^\s*(?:const|let|var) [\w{[][^=]{0,80}= ?/),
  line('javascript typescript', /^\s*(?:async )?function\*? ?\w*\(.*\) ?\{/),
  line(
    'javascript typescript',
    /^\s*(?:console\.\w+\(|module\.exports|document\.|await \w+[.(]|require\()|=> ?\{\s*$/,
  ),
  line(
    'java csharp',
    /^\s*(?:public|private|protected|internal)(?: (?:static|final|abstract|override|async|readonly|virtual|class|interface))* [\w<>[\],]+ ?\w*/,
  ),
  line('java', /^\s*(?:import (?:static )?[a-z][\w.]+\*?;|package [\w.]+;|System\.out\.|@Override\b)/),
  line('csharp', /^\s*(?:using [A-Z][\w.]+;|namespace [\w.]+|Console\.\w+\()/),
  line(
    'go',
    /^\s*(?:package \w+\s*$|func (?:\(\w+ \*?\w+\) )?\w+\(|import \($|type \w+ (?:struct|interface) \{|\w+(?:, \w+)* := )/,
  ),
  line(
    'rust',
    /^\s*(?:(?:pub )?(?:async )?fn \w+|(?:pub )?(?:struct|enum|trait|impl)(?:<.*>)? \w+|let mut \w+|use \w+(?:::\w+)+|println!\(|#\[\w+)/,
  ),
  line(
    'kotlin',
    /^\s*(?:(?:override |suspend |private )*fun (?:\w+\.)?\w+\(|val \w+(?:: ?\w+\??)? = |data class )/,
  ),
  line(
    'c',
    /^\s*(?:#(?:include ?[<"]|define \w+|ifdef |ifndef |endif)|(?:static |const |unsigned )*(?:int|void|char|float|double|bool|size_t|auto|std::\w+(?:<.*>)?) \*?\w+(?:\(.*\) ?\{?|(?:\[\w*\])? = .*;|;)\s*$|printf\(|std::)/,
  ),
  line('php', /^\s*(?:<\?php|\$\w+(?:->\w+|\[.*\])? = .*;|echo .*;|(?:public|private) function \w+\()/),
  line(
    'ruby',
    /^\s*(?:def \w+[?!]?(?:\(.*\))?\s*$|require ['"]|puts |\w+\.each do \||end\s*$|attr_\w+ :|module [A-Z]\w*\s*$)/,
  ),
  line(
    'sql',
    /^\s*(?:select\s.+\sfrom\s|select [\w*.,() ]+$|insert into\s|update \w+ set\s|delete from\s|create (?:or replace )?(?:table|index|view|function)\s|alter table\s|(?:left |inner |right )?join \w+ |group by \w|order by \w|drop table )/i,
  ),
  line(
    'shell',
    new RegExp(
      [
        String.raw`^\s*(?:#!\/|\$ \w|(?:sudo|npm|npx|pip3?|git|docker|kubectl|curl|cd|mkdir|chmod|export`,
        String.raw`|apt(?:-get)?|brew|echo|grep|ssh|rm|cp|mv) (?:-{1,2}\w|\S+[/=.:"$]|(?:install|run|clone`,
        String.raw`|commit|push|pull|apply|get|build|add|checkout)\b)|if \[\[? .+ \]\]?; then|fi\s*$`,
        String.raw`|done\s*$|esac\s*$)`,
      ].join(''),
    ),
  ),
  line(
    'html',
    /^\s*(?:<!doctype html|<\/?(?:html|head|body|div|span|p|a|ul|li|table|tr|td|form|input|button|script|style|section|h[1-6]|img|nav|link|meta)\b[^<>]*>)/i,
  ),
  line('xml', /^\s*(?:<\?xml |<\/?[A-Za-z][\w-]*(?::[\w-]+|[\w.-]*)(?: [\w:-]+="[^"]*")*\s*\/?>)/),
  line(
    'css',
    /^\s*(?:[.#@]?[\w-]+(?:[ ,.:>#][\w.:#> ,-]*)?\{\s*$|(?:color|margin|padding|display|font-\w+|background(?:-\w+)?|border|width|height|position)\s*:\s*[^;]+;)/,
  ),
  line(
    'json',
    /^\s*(?:"[\w $.@/-]+" ?: ?(?:"|\[|\{|-?\d|true|false|null)|[[{]\s*(?:"[\w $.-]+" ?:|\{|$)|[\]}],?\s*$)/,
  ),
  line('yaml', /^(?:---\s*$|(?: {2})*(?:- )?[a-z][\w.-]*:(?: (?:[\w"'{[./~-][^.!?;]*)?)?$)/),
]
/**
 * Lines that are a program by themselves, whole: for a text of one line. They ask for more than a form of a line, which
 * counts only among others.
 */
export const wholeLines: readonly LineForm[] = [
  line(
    'sql',
    /(?:^|[:?] )\s*select\s[^.!?]{1,120}?\sfrom\s+[\w."`]+(?:\s+(?:as )?\w+)?\s*(?:;|$|(?:where|group by|order by|limit|(?:left |inner )?join)\s)/i,
  ),
  line(
    'sql',
    /^\s*(?:update [\w.]+ set \w+ ?= ?|insert into [\w.]+ ?(?:\(|values)|delete from [\w.]+ where \w+ ?[=<>]|(?:create|drop|alter) (?:table|index|view) (?:if (?:not )?exists )?[\w.]+ ?(?:\(|;|as |add |on |drop |rename ))/i,
  ),
  line(
    'shell',
    /^\s*(?:\$ )?(?:sudo )?[a-z][\w.-]*(?: [^|&;]{1,120}?)? -{1,2}[\w-]+[^|&;]{0,120}?(?:\||&&|\|\|) ?(?:sudo )?[a-z][\w.-]*(?: |$)/,
  ),
  line(
    'shell',
    /^\s*(?:\$ )?(?:sudo )?(?:docker|kubectl|git|npm|pip3?|curl|wget|tar|ssh|scp|rsync|find|chmod|chown|systemctl|helm|terraform|aws|gcloud|az|ps|awk|sed|grep)\b[^.!?]{0,60}? (?:-{1,2}[\w-]+|\|)(?:[ =].{0,160})?$/,
  ),
  line('shell', /^\s*[a-z][\w-]* [^|]{0,40}\| ?(?:grep|awk|sed|sort|xargs|jq|head|tail|wc|cut|tee|uniq)\b/),
  line(
    'css',
    /^\s*(?:[.#@]?[\w-]+(?:[.:#>~+, ]+[\w.:#-]+){0,4} ?)\{\s*(?:[\w-]+\s*:\s*[^;{}]{1,60};\s*){0,8}[\w-]+\s*:\s*[^;{}]{1,60};?\s*\}/,
  ),
  line(
    'javascript typescript',
    /(?:^|\s)(?:console\.\w+\(|(?:const|let|var) \w+ = (?:async )?\([\w, ]*\) => |document\.\w+\(|\w+\.(?:map|filter|forEach|reduce)\(\(?[\w, ]+\)? =>)/,
  ),
  line(
    'python',
    /(?:^|\s)(?:import \w+(?: as \w+)?; ?\w|print\(\[?.{1,80}\bfor \w+ in \w|from [\w.]+ import \w+; ?\w|lambda \w+(?:, \w+)*: )/,
  ),
  line('go', /^\s*func (?:\(\w+ \*?\w+\) )?\w+\([^)]*\)[^{]{0,40}\{.{0,160}\}\s*$/),
  line('rust', /^\s*(?:pub )?fn \w+(?:<[^>]*>)?\([^)]*\)[^{]{0,40}\{.{0,160}\}\s*$/),
  line(
    'html',
    /^\s*<(?:div|span|p|a|ul|table|form|button|section|img|h[1-6])\b[^<>]{0,120}>.{0,160}<\/\w+>\s*$/i,
  ),
  line('json', /^\s*\{\s*"[\w $.-]+" ?: ?.{1,160}\}\s*$/),
]

/** Lines that go on what others began: closing brackets, statements that end as programs end them. */
export const continuation = new RegExp(
  [
    String.raw`^\s*(?:[)\]}]+[;,]?|\/\/.*|\/\*.*|\*\/.*|\*\s.*|#\s?\w.*|--\s.*|return\b.*|(?:else|try|finally)\b.*[:{]`,
    String.raw`|.*[;{}]|.*\)\s*:?|.*[=,(]|\w[\w.[\]]* ?[-+*/]?= ?.+|\.\w+\(.*)\s*$`,
  ].join(''),
)
