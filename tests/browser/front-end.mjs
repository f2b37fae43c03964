// Serves the front end: a page that loads the built TypeScript client. Every host name gets the same page.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../openapi/clients/typescript/dist/', import.meta.url));
const MODULE = /^\/client\/((?:[\w-]+\/)*[\w.-]+\.js)$/;

/** The page without a client: it sends requests as the test tells it. */
const EMPTY_PAGE = '<!doctype html><title>Empty page</title>';

/** Returns the page of the front end. Its global `portico` is the client, and `signedOut` counts the calls of the hook. */
const page = (api) => `<!doctype html>
<title>Front end</title>
<script type="importmap">{ "imports": { "@portico/client": "/client/index.js" } }</script>
<script type="module">
  import * as portico from '@portico/client';

  const { httpClient, refreshOnUnauthenticated } = portico;
  httpClient.setConfig({ baseUrl: '${api}', credentials: 'include' });
  refreshOnUnauthenticated(httpClient, { realm: 'portal', onSignedOut: () => window.signedOut++ });
  Object.assign(window, { portico, signedOut: 0 });
</script>`;

/** Starts the server on a free port, for a front end of the API at `api`. */
export async function startFrontEnd(api) {
  const server = createServer(async ({ url }, response) => {
    const [, module] = MODULE.exec(url) ?? [];
    const type = module ? 'text/javascript' : 'text/html';
    const body = module ? await readFile(DIST + module).catch(() => '') : url === '/empty' ? EMPTY_PAGE : page(api);
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
