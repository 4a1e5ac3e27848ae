import type { ErrorClassName } from './error-class-names.ts';

/** One error that Sandport can answer with. */
export interface ErrorRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** True when the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Class that the SDKs raise. */
  readonly errorClass: ErrorClassName;
  /** Names of the extra fields that the answer may carry. */
  readonly carries: readonly string[];
  /** When it happens, one sentence. */
  readonly meaning: string;
  /** What to do about it, one sentence. */
  readonly advice: string;
}

/** A row of the error table. */
export const errorRow = (
  status: number,
  errorClass: ErrorClassName,
  meaning: string,
  advice: string,
  extra: { retryable?: boolean; carries?: readonly string[] } = {},
): ErrorRow => ({
  status,
  retryable: extra.retryable ?? false,
  errorClass,
  carries: extra.carries ?? [],
  meaning,
  advice,
});
