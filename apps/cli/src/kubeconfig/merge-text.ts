import { type Document, isMap, isScalar, isSeq, parseAllDocuments, YAMLMap, YAMLSeq } from 'yaml';
import { entriesOf, type KubeAccess, kubeconfigOf } from './access.ts';
import { toText } from './to-text.ts';

export interface MergeOptions {
  /** Shown in errors. */
  readonly file: string;
  /** Make the daemon the current context, although there is another. @default false */
  readonly use?: boolean | undefined;
}

export interface Merged {
  readonly text: string;
  /** After the merge. */
  readonly currentContext: string;
}

/**
 * Puts the entries of a daemon into the text of a kubeconfig: those of the same name are replaced,
 * all else stays, comments too. It becomes the current context when there is none, or when asked for.
 * @throws Error that names the file and the line when the text is not a kubeconfig
 */
export function mergeText(text: string, access: KubeAccess, options: MergeOptions): Merged {
  const document = readDocument(text, options.file);
  if (document === undefined)
    return {
      text: `${commentsOf(text)}${toText(kubeconfigOf(access))}`,
      currentContext: access.name,
    };
  for (const { list, kind, value } of entriesOf(access)) {
    const entries = listIn(document, list, options.file);
    const known = entries.items.find((each) => isMap(each) && each.get('name') === access.name);
    if (isMap(known)) known.set(kind, document.createNode(value));
    else entries.add(document.createNode({ name: access.name, [kind]: value }));
  }
  const current = document.get('current-context');
  const currentContext =
    options.use === true || typeof current !== 'string' || current === '' ? access.name : current;
  document.set('current-context', currentContext);
  return { text: document.toString({ lineWidth: 0 }), currentContext };
}

/** Names of what a kubeconfig has beside the entries called `name`. */
export function otherEntries(text: string, name: string, file: string): string[] {
  const document = readDocument(text, file);
  if (document === undefined) return [];
  return (['clusters', 'users', 'contexts'] as const).flatMap((list) =>
    listIn(document, list, file)
      .items.map((each) => (isMap(each) ? String(each.get('name')) : '?'))
      .filter((each) => each !== name),
  );
}

/** Of a file in which nothing else stands. */
const commentsOf = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => `${line}\n`)
    .join('');

/** Undefined: nothing stands in it. */
function readDocument(text: string, file: string): Document | undefined {
  const documents = parseAllDocuments(text);
  const [document, second] = documents;
  if (document === undefined) return undefined;
  const error = documents.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const why = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
    throw broken(file, `line ${line ?? '?'}: ${why}`);
  }
  if (second !== undefined) throw broken(file, 'it holds more than one YAML document');
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined;
  if (!isMap(contents)) throw broken(file, 'it is not a mapping');
  const kind = document.get('kind') ?? 'Config';
  if (kind !== 'Config') throw broken(file, `its kind is ${JSON.stringify(kind)}, not Config`);
  return document;
}

function listIn(document: Document, list: string, file: string): YAMLSeq {
  const found: unknown = document.get(list, true);
  if (isSeq(found)) {
    // Lists are written as blocks, also where an empty one stood as [].
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  if (found !== undefined && !(isScalar(found) && found.value === null))
    throw broken(file, `"${list}" is not a list`);
  const made = new YAMLSeq(document.schema);
  if (document.contents instanceof YAMLMap) document.contents.set(list, made);
  return made;
}

const broken = (file: string, why: string) =>
  new Error(`${file} is not a kubeconfig: ${why}. Correct it, or write to another with --output.`);
