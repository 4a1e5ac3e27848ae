import { existsSync, mkdirSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError } from '../tools/run-tool.ts';
import { networkPaths, proxyEnv } from '../tools/network.ts';
import { type ConfinedPath, runConfined } from '../tools/run-confined.ts';
import { imageArchitecture } from './image-layout.ts';
import { type ArchiveKind, archiveKind } from './archive-kind.ts';
import { InvalidImage } from './invalid-image.ts';
import { plainArchive } from './plain-archive.ts';

export type ImageSource =
  | {
      readonly kind: 'image';
      readonly reference: string;
      readonly credentials?: string | undefined;
      readonly insecure?: boolean | undefined;
    }
  | { readonly kind: 'archive'; readonly path: string };

export interface CopyImageOptions {
  /** Private directory; gets the layout as `layout`. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 60 * 60_000;

/**
 * Copies an image out of a registry or an archive into `directory/layout`, checking all digests on
 * the way; of an image for several machines, the one for this machine.
 * @throws InvalidImage, ToolError
 */
export async function copyImage(source: ImageSource, options: CopyImageOptions): Promise<void> {
  const { directory, onLine, signal } = options;
  const args = ['copy', '--override-os', 'linux', '--override-arch', imageArchitecture];
  args.push('--remove-signatures', '--format', 'oci');
  const temporary = join(directory, 'temporary');
  mkdirSync(temporary, { mode: 0o700 });
  const paths: ConfinedPath[] = [
    { source: directory, target: '/work', writable: true },
    { source: temporary, target: '/var/tmp', writable: true },
  ];
  if (!existsSync('/etc/containers/policy.json')) args.push('--insecure-policy');
  else if (source.kind === 'archive')
    paths.push({ source: '/etc/containers', target: '/etc/containers' });
  if (source.kind === 'image') {
    paths.push(...networkPaths());
    const { reference, credentials, insecure = false } = source;
    if (!isReference(reference))
      throw new InvalidImage(`${JSON.stringify(reference)} is not the name of an image`);
    if (insecure) args.push('--src-tls-verify=false');
    if (credentials === undefined) args.push('--src-no-creds');
    else {
      await writeCredentials(`${directory}/auth.json`, reference, credentials);
      args.push('--src-authfile', '/work/auth.json');
    }
    args.push(`docker://${reference}`);
  } else {
    const copy = join(directory, 'source.tar');
    const path = await plainArchive(source.path, { ...options, copy });
    paths.push({ source: path, target: '/source' });
    args.push(archiveReference(await archiveKind(path)));
  }
  args.push('oci:/work/layout:image');
  try {
    await runConfined('skopeo', args, {
      directory,
      paths,
      network: source.kind === 'image',
      maxFileBytes: options.maxBytes,
      timeoutMs,
      onLine,
      signal,
      failureIn: fatalMessage,
      env: { TMPDIR: '/var/tmp', ...proxyEnv() },
    });
  } catch (error) {
    throw error instanceof ToolError && !isTrouble(error.message, source)
      ? new InvalidImage(shortened(error.message), { cause: error })
      : error;
  }
}

/** `docker save` may hold several images: the first counts. */
const archiveReference = (kind: ArchiveKind): string =>
  kind === 'docker-archive' ? 'docker-archive:/source:@0' : `${kind}:/source`;

const isReference = (text: string): boolean =>
  /^[A-Za-z0-9[][A-Za-z0-9._:/@[\]-]*$/.test(text) && text.length <= 512;

/** The registry that a reference names; as for `docker pull`, Docker's own when it names none. */
function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return named ? first : 'docker.io';
}

async function writeCredentials(file: string, reference: string, credentials: string) {
  const auth = Buffer.from(credentials, 'utf8').toString('base64');
  const text = JSON.stringify({ auths: { [registryOf(reference)]: { auth } } });
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  await chmod(file, 0o600);
}

/** Reason in a line as `time="…" level=fatal msg="…"`. */
export function fatalMessage(line: string): string | undefined {
  const quoted = /level=fatal msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  if (quoted !== undefined) {
    try {
      return String(JSON.parse(quoted)).replace(/\.$/, '');
    } catch {
      return quoted;
    }
  }
  return (
    /level=fatal msg=(.*)$/.exec(line)?.[1] ?? /^(?:setpriv|unshare|mount|sh): .*/.exec(line)?.[0]
  );
}

/** Without the names that things have only for the program. */
const shortened = (reason: string): string =>
  reason
    .replace(
      /^(initializing (image from )?source|reading manifest[^:]*) [a-z-]+:\/\/?source[^ ]*: /,
      '',
    )
    .replace(
      /^more than one image in oci, choose an image$/,
      'its index has not exactly one image',
    );

/** True for what is not the image's fault. */
function isTrouble(reason: string, source: ImageSource): boolean {
  if (/no space left|ended with|^(setpriv|unshare|mount|sh): /.test(reason)) return true;
  const trouble =
    /dial tcp|connection re(?:fused|set)|no such host|i\/o timeout|TLS handshake|x509|HTTP response to HTTPS|EOF$|: 5\d\d /;
  return source.kind === 'image' && trouble.test(reason);
}
