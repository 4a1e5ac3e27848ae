export interface OutputCallbacks {
  /** Called with the text as it comes. A promise holds back what comes after it. */
  onStdout?: ((text: string) => void | Promise<void>) | undefined;
  onStderr?: ((text: string) => void | Promise<void>) | undefined;
}
