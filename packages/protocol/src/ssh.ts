import { z } from 'zod';

/** Most bytes of a public key as a line of text. */
export const maxPublicKeyBytes = 16_384;

/** Most public keys that one API key may register. */
export const maxSshKeys = 100;

export const createSshKeySchema = z.strictObject({
  public_key: z
    .string()
    .min(1)
    .max(maxPublicKeyBytes)
    .describe('A line as in `~/.ssh/id_ed25519.pub`.'),
  label: z
    .string()
    .max(128)
    .optional()
    .describe('Says whose it is; left out: the comment of the line.'),
});
export type CreateSshKey = z.infer<typeof createSshKeySchema>;

/** A public key that logs in over SSH as the API key that registered it. */
export const sshKeySchema = z.object({
  id: z.string(),
  label: z.string(),
  type: z.string().describe('As `ssh-ed25519`.'),
  public_key: z.string().describe('Type and key, without a comment.'),
  fingerprint: z.string().describe('As `ssh-keygen -l` shows it: `SHA256:…`.'),
  key: z.string().describe('Id of the API key that it stands for.'),
  created_at: z.iso.datetime(),
});
export type SshKeyObject = z.infer<typeof sshKeySchema>;

/** Answer of `GET /v1/ssh`: what a client of SSH has to know beside its key. */
export const sshSchema = z.object({
  host: z.string().regex(/^[A-Za-z0-9.:_%-]+$/),
  port: z.number().int(),
  host_key: z
    .string()
    .regex(/^[a-z0-9-]+ [A-Za-z0-9+/=]+$/)
    .describe('As in `known_hosts`: type and key.'),
  fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]+$/)
    .describe('Of the host key.'),
});
export type SshObject = z.infer<typeof sshSchema>;
