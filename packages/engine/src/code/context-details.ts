import type { KeptCommand } from '@sandport/driver';
import { codeLanguages } from '@sandport/protocol';
import { z } from 'zod';

/** What is kept with the process of a kernel about the context that it is of. */
const contextDetailsSchema = z.object({
  id: z.string().min(1).max(100),
  language: z.enum(codeLanguages),
  mark: z.string().min(16).max(64),
  is_default: z.boolean(),
  created_at: z.iso.datetime(),
  cwd: z.string().optional(),
  user: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
});
export type ContextDetails = z.infer<typeof contextDetailsSchema>;

/** A larger environment is not kept: after a restart of the daemon a new kernel goes without it. */
const maxEnvChars = 8_000;

/** In the details of a kept command. */
export const keptDetails = ({ env, ...details }: ContextDetails): { code: ContextDetails } => ({
  code: {
    ...details,
    ...(env === undefined || JSON.stringify(env).length > maxEnvChars ? {} : { env }),
  },
});

/** The context whose kernel a kept command is; undefined when it is none. */
export function contextOf({ details }: Pick<KeptCommand, 'details'>): ContextDetails | undefined {
  if (!isKernel({ details })) return undefined;
  return contextDetailsSchema.safeParse(details['code']).data;
}

/** True for a kept command that is a kernel, and no command of a client. */
export const isKernel = ({ details }: Pick<KeptCommand, 'details'>): boolean =>
  details['code'] !== undefined;
