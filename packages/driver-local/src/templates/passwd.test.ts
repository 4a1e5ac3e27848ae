import { expect, test } from 'vitest';
import { findUser } from './passwd.ts';

const passwd =
  'root:x:0:0:root:/root:/bin/bash\nbroken\nuser:x:1000:1001::/home/user:/bin/sh\nx:x::::\n';

test.each([
  ['root', { uid: 0, gid: 0 }],
  ['user', { uid: 1000, gid: 1001 }],
  ['1000', { uid: 1000, gid: 1001 }],
  ['4321', { uid: 4321, gid: 4321 }],
  ['broken', undefined],
  ['x', undefined],
  ['nobody', undefined],
])('%s', (name, ids) => {
  expect(findUser(passwd, name)).toEqual(ids);
});
