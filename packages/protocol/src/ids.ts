import { z } from 'zod';

/** UUID of a sandbox, made by the daemon. */
export const sandboxIdSchema = z.uuid().brand<'SandboxId'>();
export type SandboxId = z.infer<typeof sandboxIdSchema>;

/** A DNS label: what names of sandboxes, volumes, snapshots and namespaces look like. */
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be a DNS label: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -',
  );

export const sandboxNameSchema = dnsLabel.brand<'SandboxName'>();
export type SandboxName = z.infer<typeof sandboxNameSchema>;

export const volumeNameSchema = dnsLabel.brand<'VolumeName'>();
export type VolumeName = z.infer<typeof volumeNameSchema>;

/** UUID of a snapshot, made by the daemon. */
export const snapshotIdSchema = z.uuid().brand<'SnapshotId'>();
export type SnapshotId = z.infer<typeof snapshotIdSchema>;

export const snapshotNameSchema = dnsLabel.brand<'SnapshotName'>();
export type SnapshotName = z.infer<typeof snapshotNameSchema>;

export const namespaceSchema = dnsLabel.brand<'Namespace'>();
export type Namespace = z.infer<typeof namespaceSchema>;

/** Template names may hold dots, as `ubuntu-24.04` does. */
export const templateNameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9, ".", "_" and "-"')
  .brand<'TemplateName'>();
export type TemplateName = z.infer<typeof templateNameSchema>;
