import { expect, test } from 'vitest';
import { imageUser } from './image-user.ts';
import { InvalidImage } from './invalid-image.ts';

const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:1500:1600::/srv:/bin/sh\nodd$name:x:7:7::/:\n';
const groups = 'root:x:0:\nstaff:x:50:web\n';

test.each([
  ['', '0', undefined],
  ['root', 'root', undefined],
  ['web', 'web', undefined],
  ['1500', '1500', undefined],
  ['web:1600', 'web', undefined],
  ['odd$name', '7', undefined],
  ['web:staff', 'user-1500-50', 'user-1500-50:x:1500:50::/:/bin/sh'],
  ['9000', '9000', 'user-9000-0:x:9000:0::/:/bin/sh'],
  ['9000:50', '9000', 'user-9000-50:x:9000:50::/:/bin/sh'],
  [':staff', 'user-0-50', 'user-0-50:x:0:50::/:/bin/sh'],
])('%j becomes %s', (text, user, line) => {
  expect(imageUser(text, passwd, groups)).toEqual({
    user,
    passwdLines: line === undefined ? [] : [line],
  });
});

test.each(['ghost', 'web:ghost', '65536', '0:65536', '99999999999999999999', 'a:b:c', '-1'])(
  'refuses %j',
  (text) => {
    expect(() => imageUser(text, passwd, groups)).toThrow(InvalidImage);
  },
);
