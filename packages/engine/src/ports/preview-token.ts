import { createHmac, timingSafeEqual } from 'node:crypto';
import { type SandboxId, sandboxIdSchema, SandportFault } from '@sandport/protocol';
import { z } from 'zod';

/** What a signed link leads to. */
export interface PreviewClaims {
  readonly sandbox: SandboxId;
  readonly port: number;
  /** Paths, with all below them; empty: all. */
  readonly paths: readonly string[];
  /** Id of the key that made it. */
  readonly key: string;
  readonly expiresAt: Date;
}

/** Longer ones were never made. */
const maxTokenCharacters = 4_096;

const mac = (secret: Buffer, text: string): Buffer =>
  createHmac('sha256', secret).update(text).digest();

/** `base64url(SANDBOX|PORT|EXPIRY|KEY[|PATH…]).base64url(HMAC-SHA256)`; the expiry in seconds since 1970. */
export function signPreviewToken(claims: PreviewClaims, secret: Buffer): string {
  const { sandbox, port, paths, key, expiresAt } = claims;
  const fields = [sandbox, port, Math.ceil(expiresAt.getTime() / 1_000), key, ...paths];
  const text = Buffer.from(fields.join('|')).toString('base64url');
  return `${text}.${mac(secret, text).toString('base64url')}`;
}

const fieldsSchema = z.tuple(
  [
    sandboxIdSchema,
    z.coerce.number().int().min(1).max(65_535),
    z.coerce.number().int().min(0),
    z.string().min(1),
  ],
  z.string(),
);

/** True for what has the form and the signature of a token, also of one that has expired. */
export const isPreviewToken = (token: string, secret: Buffer): boolean =>
  signedText(token, secret) !== undefined;

/** @throws SandportFault `preview_unauthorized` */
export function openPreviewToken(token: string, secret: Buffer): PreviewClaims {
  const text = signedText(token, secret);
  if (text === undefined) throw refused('This link is not valid.');
  const [sandbox, port, seconds, key, ...paths] = fieldsSchema.parse(text.split('|'));
  const expiresAt = new Date(seconds * 1_000);
  if (expiresAt.getTime() <= Date.now()) throw refused('This link has expired.');
  return { sandbox, port, paths, key, expiresAt };
}

function signedText(token: string, secret: Buffer): string | undefined {
  if (token.length > maxTokenCharacters) return undefined;
  const [, text = '', given = ''] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? [];
  // Of several spellings of the same bytes only one is taken.
  const expected = mac(secret, text);
  if (text === '' || expected.toString('base64url').length !== given.length) return undefined;
  if (!timingSafeEqual(Buffer.from(expected.toString('base64url')), Buffer.from(given)))
    return undefined;
  return Buffer.from(text, 'base64url').toString();
}

/** The answer to a link that leads nowhere. */
export const refused = (sentence: string): SandportFault =>
  new SandportFault('preview_unauthorized', sentence);
