export interface OutputCallbacks {
  /** Called with the text as it comes. A promise holds back what comes after it. */
  onStdout?: ((text: string) => unknown) | undefined;
  onStderr?: ((text: string) => unknown) | undefined;
}
