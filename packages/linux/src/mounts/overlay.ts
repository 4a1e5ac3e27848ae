import { type ByteString, hostPath } from '../ffi/byte-string.ts';
import { withFileOwner } from '../ffi/credential-calls.ts';
import { MS_NODEV, MS_NOSUID, mount } from '../ffi/mount-calls.ts';

export interface OverlayOptions {
  /** Read-only layers, topmost first. */
  readonly lower: readonly string[];
  /** Where changes go; on the same file system as `work`. */
  readonly upper: string;
  /** An empty directory of the kernel's. */
  readonly work: string;
  /** Where it appears. */
  readonly target: string;
  /**
   * Host id of the user and group as whom the kernel works in the layers; upper layers on an
   * id-mapped mount need one that the mapping has. @default 0
   */
  readonly ownerId?: number;
}

/** mount(2) takes at most a page of options. */
const MAX_OPTIONS_BYTES = 4095;

/**
 * Mounts an overlay, nosuid and nodev. All paths are trusted ones of the host.
 * @throws SystemError; RangeError when the paths together are too long
 */
export function mountOverlay(options: OverlayOptions): void {
  const parts = [
    `lowerdir=${options.lower.map(escapeLowerPath).join(':')}`,
    `upperdir=${escapePath(options.upper)}`,
    `workdir=${escapePath(options.work)}`,
    // Without these, the upper layer would not say by itself what is in it.
    'redirect_dir=nofollow',
    'metacopy=off',
    // A copy of an upper layer is as good as the layer itself.
    'index=off',
  ];
  const data = hostPath(parts.join(','));
  if (data.length > MAX_OPTIONS_BYTES) {
    throw new RangeError(`the paths of an overlay are longer than ${MAX_OPTIONS_BYTES} bytes`);
  }
  const overlay = 'overlay' as ByteString; // ASCII.
  const ownerId = options.ownerId ?? 0;
  withFileOwner(ownerId, ownerId, () =>
    mount(overlay, hostPath(options.target), overlay, MS_NOSUID | MS_NODEV, data),
  );
}

/** A comma ends an option, a backslash escapes. */
function escapePath(path: string): string {
  return path.replace(/[\\,]/g, '\\$&');
}

/** A colon separates layers too. */
function escapeLowerPath(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
