/** Who asks. */
export interface Caller {
  /** As `key:0a1b2c`. */
  readonly name: string;
  readonly groups: readonly string[];
  /** Undefined: all namespaces. */
  readonly namespaces?: ReadonlySet<string> | undefined;
}
