// Another application of the same site: the example of docs/embedding.md, on a port of its own.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const EXAMPLE = readFileSync(new URL('../../../docs/embedding.md', import.meta.url), 'utf8');
const [PAGE] = EXAMPLE.match(/<!doctype html>.*?<\/html>/s);
const [SCRIPT] = EXAMPLE.match(/(?<=```js\n)\/\/ sign-in\.js.*?(?=```)/s);

/** Starts the application. Its `portico` is the origin of Portico, which the caller fills in. */
export async function startApplication() {
  const server = createServer(({ url }, response) => {
    const [type, body] = answer(url);
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A deployment that does not start must not keep the test run alive.
  server.unref();
  const application = {
    origin: `http://localhost:${server.address().port}`,
    portico: undefined,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return application;

  function answer(path) {
    const ofThisDeployment = (text) => text.replaceAll('https://accounts.example.com', application.portico);
    if (path === '/sign-in') return ['text/html', ofThisDeployment(PAGE)];
    if (path === '/sign-in.js') return ['text/javascript', ofThisDeployment(SCRIPT)];
    return ['text/html', '<!doctype html><html lang="en"><title>Orders</title><h1>Your orders</h1></html>'];
  }
}
