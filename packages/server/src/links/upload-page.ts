import { createHash } from 'node:crypto';

export interface UploadPageOptions {
  /** Name of the file that is written. */
  readonly name: string;
  /** Largest file; undefined: no limit. */
  readonly maxBytes: number | undefined;
  readonly expiresAt: Date;
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
input, button, progress { display: block; width: 100%; margin: 1rem 0; box-sizing: border-box; font: inherit; }
button { padding: .6rem; }
small { opacity: .75; }
`;

const script = `
'use strict';
const [form, file, button, bar, line] =
  ['form', '#file', 'button', 'progress', '#line'].map((each) => document.querySelector(each));
const limit = Number(form.dataset.maxBytes || Infinity);
const shown = (bytes) => {
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return (bytes / 1000 ** power).toFixed(power ? 1 : 0) + ' ' + ['B', 'kB', 'MB', 'GB', 'TB'][power];
};
for (const each of document.querySelectorAll('[data-bytes]'))
  each.textContent = shown(Number(each.dataset.bytes));
for (const each of document.querySelectorAll('time'))
  each.textContent = new Date(each.dateTime).toLocaleString();
const idle = (text) => {
  line.textContent = text;
  button.disabled = file.disabled = false;
};
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const [chosen] = file.files;
  if (!chosen) return idle('Choose a file first.');
  if (chosen.size > limit) return idle('The file is larger than the link takes.');
  const request = new XMLHttpRequest();
  const startedAt = performance.now();
  button.disabled = file.disabled = true;
  bar.hidden = false;
  bar.value = 0;
  request.upload.onprogress = ({ loaded, total }) => {
    bar.value = total ? loaded / total : 1;
    const seconds = (performance.now() - startedAt) / 1000;
    line.textContent = shown(loaded) + ' of ' + shown(total) + ', ' + shown(loaded / seconds) + '/s';
  };
  request.onload = () => {
    if (request.status === 200) {
      bar.value = 1;
      return idle('Done: ' + shown(chosen.size) + '.');
    }
    let why = 'status ' + request.status;
    try {
      why = JSON.parse(request.responseText).error;
    } catch {}
    idle('Not uploaded: ' + why);
  };
  request.onerror = () => idle('The connection broke; nothing was written. Try again.');
  request.open('PUT', location.pathname);
  request.send(chosen);
});
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What the page may do: run its own script, and send to where it came from. */
export const uploadPagePolicy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A page that uploads one file to its own address. Needs nothing else. */
export function uploadPage({ name, maxBytes, expiresAt }: UploadPageOptions): string {
  const shown = escapeHtml(name);
  const expires = expiresAt.toISOString();
  const limit =
    maxBytes === undefined
      ? ''
      : `At most <span data-bytes="${maxBytes}">${maxBytes} bytes</span>. `;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Upload ${shown}</title>
<style>${style}</style>
<main>
<h1>Upload ${shown}</h1>
<form data-max-bytes="${maxBytes ?? ''}">
<input id="file" type="file" required aria-label="File">
<button>Upload</button>
<progress max="1" value="0" hidden></progress>
<p id="line" role="status"></p>
</form>
<small>${limit}The link works until <time datetime="${expires}">${expires}</time>.</small>
</main>
<script>${script}</script>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, (each) => entities[each] ?? '');
