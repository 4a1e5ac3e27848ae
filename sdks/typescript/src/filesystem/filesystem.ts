import { FileTrees } from './file-trees.ts';

/**
 * The files of a sandbox, or of a volume, which has no `changes` and no links. Paths are absolute
 * inside it; symlinks are followed. Bytes are streamed, and their SHA-256 is checked on both sides.
 * Works while no command can run.
 * Every method throws `NotFoundError` for a path that does not exist, `ConflictError` for a path of
 * the wrong kind, `BadRequestError` for one that is not absolute.
 */
export class Filesystem extends FileTrees {}
