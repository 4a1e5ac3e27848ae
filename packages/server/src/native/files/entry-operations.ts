import type { SandboxFiles } from '@sandport/driver';
import { resolveOwner, timeNsOf } from '@sandport/engine';
import {
  chmodSchema,
  chownSchema,
  type GuestPath,
  parseGuestPath,
  symlinkSchema,
  touchSchema,
  type TransferPath,
  transferPathSchema,
} from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';

/** What is done to entries inside the sandbox: move, copy, chmod, chown, symlink, touch. */
export const entryOperationRoutes = (place: FilePlace): Route[] => {
  const post = (name: string, handle: Route['handle']): Route => ({
    method: 'POST',
    path: `${place.prefix}/${name}`,
    handle,
  });
  const transfer = (name: 'move' | 'copy'): Route =>
    post(name, async (exchange) => {
      const {
        from,
        to,
        overwrite = false,
      }: TransferPath = await readJson(exchange, transferPathSchema);
      const [source, target] = [parseGuestPath(from), parseGuestPath(to)];
      const files = await place.toWrite(exchange);
      await files[name](source, target, { overwrite, signal: exchange.signal });
      await answerEntry(exchange, files, target, false);
    });
  return [
    transfer('move'),
    transfer('copy'),
    post('chmod', async (exchange) => {
      const { mode, recursive = false, ...body } = await readJson(exchange, chmodSchema);
      const path = parseGuestPath(body.path);
      const files = await place.toWrite(exchange);
      const options = { recursive, signal: exchange.signal };
      const changed = await files.chmod(path, Number.parseInt(mode, 8), options);
      exchange.json(200, { path, changed });
    }),
    post('chown', async (exchange) => {
      const body = await readJson(exchange, chownSchema);
      const { recursive = false, follow_symlinks: followSymlinks = true } = body;
      const path = parseGuestPath(body.path);
      const files = await place.toWrite(exchange);
      const owner = await resolveOwner(files, body);
      const options = { recursive, followSymlinks, signal: exchange.signal };
      exchange.json(200, { path, changed: await files.chown(path, owner, options) });
    }),
    post('symlink', async (exchange) => {
      const { target, overwrite = false, ...body } = await readJson(exchange, symlinkSchema);
      const path = parseGuestPath(body.path);
      const files = await place.toWrite(exchange);
      await files.symlink(path, target, { overwrite });
      await answerEntry(exchange, files, path, false);
    }),
    post('touch', async (exchange) => {
      const { mtime, create = true, ...body } = await readJson(exchange, touchSchema);
      const path = parseGuestPath(body.path);
      const files = await place.toWrite(exchange);
      const time = mtime === undefined ? {} : { mtimeNs: timeNsOf(mtime) };
      await files.touch(path, { ...time, create });
      await answerEntry(exchange, files, path, true);
    }),
  ];
};

async function answerEntry(
  exchange: Exchange,
  files: SandboxFiles,
  path: GuestPath,
  followSymlinks: boolean,
): Promise<void> {
  exchange.json(200, await files.stat(path, { followSymlinks }));
}
