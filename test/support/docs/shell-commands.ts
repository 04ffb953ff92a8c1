/** The words of one simple command, without quotes. */
export type Words = readonly string[];

const tokens =
  /\\\n|(?<![^\s;&|(])#[^\n]*|\d*[<>]{1,2}(?:&\d|[ \t]*[^\s;&|()]+)|[\n;&|()]|[ \t]+|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'";&|()\\])+/g;

/**
 * The simple commands of a shell text, those within `$(…)` too: what documents need of the shell's grammar. Redirections, comments and
 * assignments in front are left out.
 */
export function simpleCommands(text: string): readonly Words[] {
  const commands: string[][] = [[]];
  for (const [token] of text.matchAll(tokens)) {
    if (/^[\n;&|()]$/.test(token)) commands.push([]);
    else if (!/^(\\\n|#|[ \t]|\d*[<>])/.test(token)) commands.at(-1)?.push(token);
  }
  const nested = [...text.matchAll(/"[^"\n]*?\$\(([^)]*)\)/g)].flatMap(([, inner = '']) => simpleCommands(inner));
  return [...commands.map(unquoted), ...nested].filter(({ length }) => length > 0);
}

function unquoted(words: Words): Words {
  const first = words.findIndex((word) => !/^[A-Za-z_]+=/.test(word));
  return first < 0 ? [] : words.slice(first).map((word) => word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, '$1$2'));
}
