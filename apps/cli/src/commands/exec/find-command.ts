import { type CommandHandle, type HandleOptions, NotFoundError, type Sandbox } from 'sandport';
import { UsageError } from '../../usage-error.ts';

const wholeId = /^[0-9a-f]{32}$/;
const shortDigits = 12;

/** What people are shown of an id. */
export const shortId = (id: string): string => id.slice(0, shortDigits);

/**
 * Finds a command by its id, or by the first digits of it.
 * @throws NotFoundError; UsageError when the digits are those of several
 */
export async function findCommand(
  sandbox: Sandbox,
  id: string,
  { signal, ...options }: HandleOptions & { readonly signal: AbortSignal },
): Promise<CommandHandle> {
  const connect = (whole: string) => sandbox.commands.connect(whole, { ...options, signal });
  if (wholeId.test(id)) return connect(id);
  if (!/^[0-9a-f]{1,31}$/.test(id)) {
    throw new UsageError(
      `${JSON.stringify(id)} is not the id of a command; \`sandport ps\` lists them.`,
    );
  }
  const found = (await sandbox.commands.list({ signal })).filter((each) => each.id.startsWith(id));
  if (found.length > 1) {
    throw new UsageError(
      `${found.length} commands have ids that begin with ${id}; give more of it.`,
    );
  }
  const [only] = found;
  if (only !== undefined) return connect(only.id);
  throw new NotFoundError(`No command has an id that begins with ${id}.`, {
    code: 'command_not_found',
  });
}
