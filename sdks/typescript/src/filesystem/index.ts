export type { BatchFailure } from './batch/batch-failure.ts';
export type { ReadFileResult, ReadFileSuccess } from './batch/read-files.ts';
export type { RemoveFileResult, RemoveFilesOptions } from './batch/remove-files.ts';
export type {
  BatchOptions,
  FileToWrite,
  WriteFileResult,
  WrittenFile,
} from './batch/write-files.ts';
export type { DownloadResult } from './download/download-file.ts';
export type { ChangesOptions, FileChange } from './entries/changes.ts';
export type { FileInfo } from './entries/file-info.ts';
export type { ListOptions } from './entries/list-options.ts';
export type {
  ChmodOptions,
  ChownOptions,
  DiskUsage,
  MakeDirectoryOptions,
  NewOwner,
  OverwriteOptions,
  TouchOptions,
} from './entries/manage.ts';
export type {
  ReplacedFile,
  ReplaceOptions,
  ReplaceResult,
  SearchOptions,
  SearchResult,
  SearchSelection,
  SkippedFiles,
} from './entries/search.ts';
export type { WalkStep } from './entries/walk.ts';
export type { RemoveOptions, StatOptions } from './file-entries.ts';
export { Filesystem } from './filesystem.ts';
export type { FileTime } from './file-time.ts';
export type { CreatedFileLink, CreateLinkOptions, FileLink } from './links/links.ts';
export type { OnRetry, TransferRetry } from '../http/patience.ts';
export type { OnProgress, SignalOptions, TransferOptions, TransferProgress } from './progress.ts';
export type { ReadVersion } from './read/read-file.ts';
export type { ByteRange, DownloadOptions, ReadOptions } from './read/read-options.ts';
export type { FileWatch, WatchEvent, WatchOptions } from './watch/watch.ts';
export type { FileContent } from './write/content.ts';
export type {
  FileOwner,
  UploadOptions,
  WriteInPlaceOptions,
  WriteOptions,
  WriteResult,
} from './write/write-options.ts';
