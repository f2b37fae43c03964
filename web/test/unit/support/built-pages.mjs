// Serves the built pages of `web/dist` with the shell and the content security policy of the server, and no API. A test
// answers the calls of the page itself.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

const dist = new URL('../../../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('pages.json', dist), 'utf8'));
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; font-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** Starts the server, and returns its address and how to stop it. */
export async function serveBuiltPages() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname.startsWith('/assets/')) return sendFile(response, pathname.slice('/assets/'.length));
    const page = manifest.portal.pages.find(({ path }) => path === pathname);
    if (!page) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY, 'cache-control': 'no-store' });
    response.end(shell(page));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

function sendFile(response, name) {
  response.writeHead(200, { 'content-type': TYPES[extname(name)] });
  response.end(readFileSync(new URL(name, dist)));
}

function shell(page) {
  const { scripts, styles } = manifest.portal;
  const links = [...styles, ...page.styles].map((file) => `<link rel="stylesheet" href="/assets/${file}">`);
  const modules = scripts.map((file) => `<script type="module" src="/assets/${file}"></script>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Portico</title>
<meta name="portico" content='{"build":"test","locale":"en","return_origins":[]}'>
${links.join('')}${modules.join('')}</head><body><div id="app"></div></body></html>`;
}
