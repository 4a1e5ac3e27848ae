import { templateNameSchema } from '@sandport/protocol';
import type { TemplateRecipe } from '../recipe.ts';

export const baseRecipe: TemplateRecipe = {
  name: templateNameSchema.parse('base'),
  description: 'Minimal Debian with Python 3, bash, coreutils and CA certificates',
  packages: [
    'usr-is-merged',
    'bash',
    'coreutils',
    'python3',
    'ca-certificates',
    'procps',
    // What `rsync -e ssh` and `scp -O` run at this end.
    'rsync',
    'openssh-client',
  ],
  remove: [],
  user: { name: 'user', id: 1000, home: '/home/user' },
  directories: ['/workspace'],
  workdir: '/home/user',
  env: {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
  },
  limits: { cpu: 2, memoryBytes: 1024 * 1024 * 1024, pids: 512 },
};
