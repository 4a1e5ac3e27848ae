/** More than any object is nested, and far from what exhausts the stack of the parser. */
const maxFlowDepth = 200;
const maxIndentation = 400;

/**
 * Whether a YAML text could be nested so deeply that its parser, which calls itself for each level,
 * would run out of stack: that can end the whole process, not only the parsing. Brackets in texts
 * count too.
 */
export function isTooDeepForYaml(text: string): boolean {
  let flowDepth = 0;
  let indentation = 0;
  let atStart = true;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === lineFeed || code === carriageReturn) {
      indentation = 0;
      atStart = true;
      continue;
    }
    // Lists in lists may stand on one line: `- - - x`.
    if (atStart && indents.has(code)) {
      indentation += 1;
      if (indentation > maxIndentation) return true;
      continue;
    }
    atStart = false;
    if (code === openBracket || code === openBrace) {
      flowDepth += 1;
      if (flowDepth > maxFlowDepth) return true;
    } else if ((code === closeBracket || code === closeBrace) && flowDepth > 0) flowDepth -= 1;
  }
  return false;
}

const codeOf = (character: string): number => character.charCodeAt(0);
const [lineFeed, carriageReturn] = [codeOf('\n'), codeOf('\r')];
const [openBracket, closeBracket] = [codeOf('['), codeOf(']')];
const [openBrace, closeBrace] = [codeOf('{'), codeOf('}')];
const indents: ReadonlySet<number> = new Set([...' \t-?:'].map(codeOf));
