/** The messages of `process.v1.ProcessService`, as proto-loader hands them over. */
export interface ProcessConfig {
  readonly command: readonly string[];
  readonly envVars: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface StartRequest {
  readonly config: ProcessConfig | null;
  readonly pty?: { readonly cols: number; readonly rows: number } | null;
}

export type StartResponse =
  | { readonly init: { readonly processId: number } }
  | { readonly stdout: Buffer }
  | { readonly stderr: Buffer }
  | { readonly exit: { readonly exitCode: number } };

export interface ExecuteRequest {
  readonly config: ProcessConfig | null;
}

export interface ExecuteResponse {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface WriteStdinRequest {
  readonly processId: number;
  /** One of these two. */
  readonly input?: Buffer;
  readonly eof?: object;
}

export interface SendSignalRequest {
  readonly processId: number;
  /** Its number. */
  readonly signal: number;
}

export interface ResizeTtyRequest {
  readonly processId: number;
  readonly cols: number;
  readonly rows: number;
}
