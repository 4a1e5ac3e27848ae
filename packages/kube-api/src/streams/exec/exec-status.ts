import { KubeError } from '../../objects/kube-error.ts';

/** How a command ended, as the error stream of the `v4` protocols tells it. */
export function exitStatus(exitCode: number): Readonly<Record<string, unknown>> {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** Why a command did not run. */
export function failureStatus(error: unknown): Readonly<Record<string, unknown>> {
  const failure =
    error instanceof KubeError
      ? error
      : new KubeError('InternalError', error instanceof Error ? error.message : String(error));
  return failure.toStatus();
}
