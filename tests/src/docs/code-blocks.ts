/** A fenced block of code in a page, and the heading that it stands under. */
export interface CodeBlock {
  readonly heading: string;
  readonly language: string;
  readonly code: string;
}

/** All fenced blocks of a Markdown page, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = '';
  let open: { language: string; lines: string[] } | undefined;
  for (const line of markdown.split('\n')) {
    const fence = /^```(\w*)\s*$/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.lines.push(line);
      else {
        blocks.push({ heading, language: open.language, code: `${open.lines.join('\n')}\n` });
        open = undefined;
      }
    } else if (fence !== null) {
      open = { language: fence[1] ?? '', lines: [] };
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  }
  return blocks;
}
