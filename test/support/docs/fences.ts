import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../command.ts';

/** What a document says in one place: a fenced block, or the prose between two. */
export interface Passage {
  /** Words behind the three backquotes, such as `sh`; null for prose. */
  readonly info: string | null;
  readonly text: string;
  /** `docs/faq.md:12`, where it begins. */
  readonly place: string;
}

/** The passages of a document, in order. A fence may be indented, as in a list. */
export function passagesOf(file: string): readonly Passage[] {
  const passages: Passage[] = [];
  let lines: string[] = [];
  let info: string | null = null;
  let start = 1;
  let indent = '';
  const end = (nextLine: number): void => {
    if (info !== null || lines.some((line) => line !== ''))
      passages.push({ info, text: lines.join('\n'), place: `${file}:${start}` });
    lines = [];
    start = nextLine;
  };
  for (const [index, line] of readFileSync(join(projectRoot, file), 'utf8').split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    if (fence === null) {
      lines.push(info === null ? line : line.slice(indent.length));
      continue;
    }
    end(index + 2);
    indent = fence[1] ?? '';
    info = info === null ? (fence[2] ?? '') : null;
  }
  end(0);
  return passages;
}
