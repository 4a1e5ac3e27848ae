/** The release of Kubernetes whose API is spoken. */
const kubernetesVersion = { major: '1', minor: '35', patch: '0' };

/** What `/version` answers: clients compare it with their own. */
export function versionOf(release: string): Readonly<Record<string, unknown>> {
  const { major, minor, patch } = kubernetesVersion;
  const suffix = release.replaceAll(/[^0-9A-Za-z.-]+/g, '-');
  return {
    major,
    minor,
    gitVersion: `v${major}.${minor}.${patch}+sandport.${suffix}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
