export {
  Api,
  codeOf,
  type CreatedSandbox,
  type Entry,
  faultOf,
  filePath,
  json,
  type Result,
  volumeFilePath,
} from './api.ts';
export {
  isolationsHere,
  newDataDir,
  type StartDaemonOptions,
  startDaemon,
  TestDaemon,
} from './daemon.ts';
export { useCodeInterpreter } from './code-interpreter.ts';
export { freePort } from './free-port.ts';
export { exchange, type HttpAnswer, type HttpRequest } from './http.ts';
export { repoDir, sandportBin, templatesDir } from './paths.ts';
export {
  identityOf,
  isAlive,
  type ProcessIdentity,
  signal,
  whenEnded,
} from './process-identity.ts';
export { testRun } from './run-marker.ts';
export {
  onEachIsolation,
  type UsedDaemon,
  type UsedSandbox,
  useDaemon,
  useSandbox,
} from './use-daemon.ts';
export { waitFor, type WaitForOptions } from './wait-for.ts';
export { TestWebSocket } from './web-socket.ts';
export {
  expectNothingLeft,
  expectServing,
  namelessFiles,
  openFiles,
  temporaryPrefix,
  temporaryFiles,
} from './leftovers.ts';
export { openSocket, type RawAnswer, rawExchange } from './raw.ts';
export { sandboxProcess } from './sandbox-process.ts';
export { Canary } from './canary.ts';
export { idsOnMachine, runDirOf, waitForOnly } from './on-machine.ts';
export {
  escapedText,
  type HostileArchive,
  hostileArchives,
  innocentName,
  innocentText,
} from './hostile-archives.ts';
export { type RawEntry, rawEntry, rawPax, rawTar } from './raw-tar.ts';
export { CuttingProxy } from './cutting-proxy.ts';
export { dockerArchive, type ImageSpec, layer, ociArchive, writeLayout } from './oci-image.ts';
export {
  build,
  buildWell,
  type BuiltTemplate,
  readBuild,
  type Template,
  templateNames,
} from './templates.ts';
export { staticProgram } from './static-program.ts';
export { registryProgram, registryUser, startRegistry, type TestRegistry } from './registry.ts';
export {
  agents,
  claimBody,
  claimReady,
  conditionOf,
  extensions,
  Kube,
  type KubeAnswer,
  type KubeObject,
  type WatchEvent,
} from './kube.ts';
export { kubeconfigOf, Kubectl, kubectls, noKubectl, type Output } from './kubectl.ts';
