import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Canary,
  codeOf,
  expectNothingLeft,
  faultOf,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';
import { RawTus } from '../uploads/raw-tus.ts';

const used = useDaemon();
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

/** What a guest does to the temporary file $F of an upload in the directory $D. */
const meddling: Record<string, string> = {
  'removes it': 'rm $F',
  'puts a link to a file of the host there': 'rm $F; ln -s $CANARY $F',
  'puts a link to its own passwd there': 'rm $F; ln -s /etc/passwd $F',
  'puts a hard link to another file there': 'ln -f /workspace/victim $F',
  'puts another file there': 'cp -p $F $D/copy; mv $D/copy $F',
  'makes a hard link of it': 'ln $F /workspace/second-name',
  'puts a FIFO there': 'rm $F; mkfifo $F',
  'puts a directory there': 'rm $F; mkdir $F',
  'puts its directory aside': 'mv $D $D-aside',
  'puts a link to another directory in its place': 'mv $D $D-aside; ln -s /etc $D',
  'puts a link to the host in the place of its directory': 'mv $D $D-aside; ln -s $CANARY/.. $D',
};

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const tus = () => new RawTus(used.api, box.id);

  test('a guest that meddles with the temporary file breaks its upload and nothing else', async () => {
    const { api } = used;
    await api.write(box.id, '/workspace/victim', 'victim');
    const passwd = await api.read(box.id, '/etc/passwd');
    for (const [index, [what, how]] of Object.entries(meddling).entries()) {
      const directory = `/workspace/upload-${index}`;
      const upload = await tus().begin(10, { path: `${directory}/file` });
      expect((await tus().patch(upload, 0, 'first')).status, what).toBe(204);
      const names = `D=${directory}; F=$(echo $D/.sandport-upload-*); CANARY=${canary.file}`;
      await api.asRoot(box.id, `${names}; ${how}`);
      const answer = await tus().patch(upload, 5, 'LAST!');
      expect(faultOf(answer, 'upload_not_found').error, what).toContain('temporary file');
      expect((await tus().head(upload)).status, what).toBe(404);
      expect((await tus().remove(upload)).status, what).toBe(204);
      expect((await api.statAnswer(box.id, `${directory}/file`)).status, what).not.toBe(200);
      await api.asRoot(box.id, `rm -rf ${directory} ${directory}-aside /workspace/second-name`);
    }
    expect((await api.read(box.id, '/workspace/victim')).toString()).toBe('victim');
    expect(await api.read(box.id, '/etc/passwd')).toEqual(passwd);
    canary.expectUntouched();
    await expectNothingLeft(used, box.id);
  });

  test('bytes that the guest adds or takes show in the offset', async () => {
    const { api } = used;
    const path = '/workspace/resized/file';
    const upload = await tus().begin(10, { path });
    await tus().patch(upload, 0, 'first');
    await api.asRoot(box.id, 'truncate -s 2 /workspace/resized/.sandport-upload-*');
    faultOf(await tus().patch(upload, 5, 'LAST!'), 'upload_conflict');
    expect(await tus().offset(upload)).toBe(2);
    await api.asRoot(box.id, 'truncate -s 1M /workspace/resized/.sandport-upload-*');
    faultOf(await tus().patch(upload, 2, 'x'), 'upload_conflict');
    await tus().remove(upload);
    await expectNothingLeft(used, box.id);
  });

  test('a guest that swaps the temporary file all the time leads nobody out', async () => {
    const { api } = used;
    const racer = `
import os, time
end = time.time() + 8
os.makedirs('/workspace/race', exist_ok=True)
while time.time() < end:
    for name in os.listdir('/workspace/race'):
        if not name.startswith('.sandport-upload-'): continue
        path = '/workspace/race/' + name
        try:
            os.rename(path, '/workspace/kept')
            os.symlink('${canary.file}', path)
            os.unlink(path)
            os.link('/etc/passwd', path)
            os.rename('/workspace/kept', path)
        except OSError: pass
`;
    const passwd = await api.read(box.id, '/etc/passwd');
    const racing = api.execFields(box.id, { args: ['python3', '-c', racer], user: 'root' });
    const end = performance.now() + 6_000;
    const seen = new Map<string, number>();
    while (performance.now() < end) {
      const upload = await tus().begin(30, { path: '/workspace/race/file' });
      for (const offset of [0, 10, 20]) {
        const code = codeOf(await tus().patch(upload, offset, '0123456789'));
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }
      const { status } = await tus().remove(upload);
      expect([204, 404]).toContain(status);
    }
    expect((await racing).exit_code).toBe(0);
    for (const code of seen.keys())
      expect(['ok', 'upload_not_found', 'upload_conflict', 'not_a_regular_file']).toContain(code);
    expect(await api.read(box.id, '/etc/passwd')).toEqual(passwd);
    canary.expectUntouched();
    await api.asRoot(box.id, 'rm -rf /workspace/race /workspace/kept');
    await expectNothingLeft(used, box.id);
  });
});
