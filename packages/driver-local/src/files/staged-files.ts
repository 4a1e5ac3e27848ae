import type { FileOwner, StagedFileRef, StagedFiles, WrittenFile } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { Readable } from 'node:stream';

export class RootedStagedFiles implements StagedFiles {
  constructor(_root: RootedFs, _owner: FileOwner) {}

  async create(): Promise<StagedFileRef> {
    throw new Error('create');
  }

  async size(): Promise<number | undefined> {
    throw new Error('size');
  }

  async append(): Promise<number> {
    throw new Error('append');
  }

  async truncate(): Promise<void> {
    throw new Error('truncate');
  }

  async read(): Promise<Readable> {
    throw new Error('read');
  }

  async publish(): Promise<WrittenFile> {
    throw new Error('publish');
  }

  async discard(): Promise<void> {
    throw new Error('discard');
  }
}
