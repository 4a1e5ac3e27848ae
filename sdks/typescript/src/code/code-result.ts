import type { CodeResult as Bundle } from '@sandport/protocol';

/** A value that code gave, in several forms. */
export interface CodeResult {
  /** MIME type → text; binary ones in base64, JSON as JSON text. */
  readonly data: Readonly<Record<string, string>>;
  /** As text/plain. */
  readonly text?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly svg?: string;
  /** Base64. */
  readonly png?: string;
  /** Base64. */
  readonly jpeg?: string;
  /** The value of application/json; of a data frame `columns`, `index`, `data` and `shape`. */
  readonly json?: unknown;
}

const fields = [
  ['text', 'text/plain'],
  ['html', 'text/html'],
  ['markdown', 'text/markdown'],
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
  ['jpeg', 'image/jpeg'],
] as const;

export function codeResult(data: Bundle): CodeResult {
  const forms = fields.flatMap(([name, mime]) => {
    const form = data[mime];
    return form === undefined ? [] : [[name, form]];
  });
  return { data, ...Object.fromEntries(forms), ...jsonOf(data['application/json']) };
}

/** What the sandbox calls JSON may be none. */
function jsonOf(text: string | undefined): { json?: unknown } {
  if (text === undefined) return {};
  try {
    const json: unknown = JSON.parse(text);
    return { json };
  } catch {
    return {};
  }
}
