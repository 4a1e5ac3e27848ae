import { expect, test } from 'vitest';
import type { PodSpec } from './blueprint.ts';
import { reviewPodSpec } from './review-pod-spec.ts';

const container = { name: 'a', image: 'base' };
const fieldsOf = (spec: PodSpec) => reviewPodSpec(spec).faults.map(({ field }) => field);

test.each<[PodSpec, string]>([
  [{ hostNetwork: true }, 'hostNetwork'],
  [{ hostPID: true }, 'hostPID'],
  [{ runtimeClassName: 'kata' }, 'runtimeClassName'],
  [{ runtimeClassName: 'constructor' }, 'runtimeClassName'],
  [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'volumes[0].hostPath'],
  [{ volumes: [{ name: 'v', secret: {} }] }, 'volumes[0].secret'],
  [
    { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: '../x' } }] },
    'volumes[0].persistentVolumeClaim.claimName',
  ],
  [{ securityContext: { runAsUser: 100_000 } }, 'securityContext.runAsUser'],
  [
    { containers: [{ ...container, securityContext: { privileged: true } }] },
    'containers[0].securityContext.privileged',
  ],
  [
    { containers: [{ ...container, env: [{ name: 'A', valueFrom: { secretKeyRef: {} } }] }] },
    'containers[0].env[0].valueFrom',
  ],
  [{ containers: [{ ...container, env: [{ name: 'A B' }] }] }, 'containers[0].env[0].name'],
  [{ containers: [{ ...container, envFrom: [{}] }] }, 'containers[0].envFrom'],
  [{ containers: [{ ...container, workingDir: 'x' }] }, 'containers[0].workingDir'],
  [
    {
      containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'x' }] }],
    },
    'containers[0].volumeMounts[0].subPath',
  ],
  [
    { containers: [{ ...container, resources: { limits: { memory: '1Ki' } } }] },
    'containers[0].resources.limits.memory',
  ],
  [
    { containers: [{ ...container, resources: { requests: { cpu: '1000' } } }] },
    'containers[0].resources.requests.cpu',
  ],
])('%j is refused at %s', (spec, field) => {
  expect(fieldsOf(spec)).toEqual([field]);
});

test.each<[PodSpec, RegExp]>([
  [{ nodeSelector: { a: 'b' } }, /nodeSelector has no effect/],
  [{ initContainers: [container] }, /initContainers/],
  [{ containers: [container, container] }, /only the first of 2/],
  [{ containers: [{ ...container, command: ['x'] }] }, /containers\[0\]\.command.*daemon/],
  [{ volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] }, /"v" lies on the disk/],
])('%j is kept with a warning', (spec, warning) => {
  const { faults, warnings } = reviewPodSpec(spec);
  expect(faults).toEqual([]);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
});

test('what is empty asks for nothing', () => {
  const spec = { nodeSelector: {}, tolerations: [], runtimeClassName: '', hostNetwork: false };
  expect(reviewPodSpec(spec)).toEqual({ faults: [], warnings: [] });
});
