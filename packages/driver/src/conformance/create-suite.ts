import { randomUUID } from 'node:crypto';
import { sandboxIdSchema, templateNameSchema } from '@sandport/protocol';
import { describe, expect, test } from 'vitest';
import { expectFault, run, useHarness } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function createSuite(subject: ConformanceSubject): void {
  describe('create and remove', () => {
    const harness = useHarness(subject);

    test('names its isolation and a template that is ready', async () => {
      expect(harness.driver.isolations).toContain(subject.isolation);
      const templates = await harness.driver.templates.list();
      const base = templates.find((template) => template.name === 'base');
      expect(base).toMatchObject({ status: 'ready', user: 'user', workdir: '/home/user' });
      expect(base?.sizeBytes).toBeGreaterThan(10_000_000);
    });

    test('gives the user, the directory, the environment and the host name asked for', async () => {
      const sandbox = await harness.create({
        hostname: 'harbour',
        workdir: '/workspace',
        env: { CARGO: 'tea and spice' },
      });
      const result = await run(sandbox, 'id -un; pwd; echo "$CARGO"; hostname; echo "$HOME"');
      expect(result.stdout).toBe('user\n/workspace\ntea and spice\nharbour\n/home/user\n');
      const root = await harness.create({ user: 'root', workdir: '/' });
      expect((await run(root, 'id -u; pwd')).stdout).toBe('0\n/\n');
      const numbered = await harness.create({ user: '1234' });
      expect((await run(numbered, 'id -u')).stdout).toBe('1234\n');
    });

    test('an id that is in use is refused', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await expectFault(harness.driver.create(spec), 'create_failed');
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('a create that fails leaves nothing: its id can be used again', async () => {
      const spec = harness.spec();
      const fault = await expectFault(
        harness.driver.create({ ...spec, user: 'nobody-knows-me' }),
        'invalid_request',
      );
      expect(fault.message).toContain('nobody-knows-me');
      await expectFault(
        harness.driver.create({ ...spec, template: templateNameSchema.parse('no-such') }),
        'template_not_found',
      );
      const sandbox = await harness.create(spec);
      expect((await run(sandbox, 'echo here')).stdout).toBe('here\n');
    });

    test('a create that is aborted leaves nothing', async () => {
      for (const afterMs of [0, 5, 20, 60, 120]) {
        const spec = harness.spec();
        const signal = AbortSignal.timeout(afterMs);
        const made = await harness.driver.create(spec, { signal }).catch(() => undefined);
        if (made) await harness.driver.remove(spec.id);
        const again = await harness.create(spec);
        expect((await run(again, 'true')).exitCode).toBe(0);
        await harness.driver.remove(spec.id);
      }
    });

    test('remove is idempotent, may be called by many at once, and during a create', async () => {
      const spec = harness.spec();
      const creating = harness.driver.create(spec).catch(() => undefined);
      await Promise.all([1, 2, 3].map(() => harness.driver.remove(spec.id)));
      await creating;
      await harness.driver.remove(spec.id);
      const sandbox = await harness.create(spec);
      await Promise.all([1, 2, 3].map(() => harness.driver.remove(spec.id)));
      await expectFault(sandbox.commands.start({ args: ['true'] }), 'invalid_state');
      await harness.driver.remove(sandboxIdSchema.parse(randomUUID()));
    });

    test('a removed sandbox does not count as dead', async () => {
      const sandbox = await harness.create();
      let died = false;
      void sandbox.died.then(() => (died = true));
      await harness.driver.remove(sandbox.id);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(died).toBe(false);
    });

    test('many creates and removes at once all succeed', async () => {
      const count = 12;
      const sandboxes = await Promise.all(Array.from({ length: count }, () => harness.create()));
      const results = await Promise.all(
        sandboxes.map((sandbox, index) => run(sandbox, `echo ${index} > n; cat n`)),
      );
      expect(results.map((result) => result.stdout)).toEqual(sandboxes.map((_, i) => `${i}\n`));
      await Promise.all(sandboxes.map((sandbox) => harness.driver.remove(sandbox.id)));
    });
  });
}
