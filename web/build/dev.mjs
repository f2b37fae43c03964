// Serves the pages from their sources, with hot reloading, and passes all other requests to a Portico that `bin/dev` has
// started. `/catalogue` shows the kit.
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'vite';
import { devConfig } from './config.mjs';
import { shell } from './dev-shell.mjs';

const target = process.env.PORTICO_URL ?? 'http://localhost:8080';
const port = Number(process.env.PORT ?? 5173);

const server = createHttpServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const app = ['portal', 'console', 'catalogue'].find((name) => pathname === `/${name}` || pathname.startsWith(`/${name}/`));
  if (!app || /\.(tsx?|mjs|css)$/.test(pathname)) return vite.middlewares(request, response);
  vite.transformIndexHtml(request.url, shell(app)).then(
    (html) => response.setHeader('content-type', 'text/html; charset=utf-8').end(html),
    (error) => response.writeHead(500).end(String(error)),
  );
});
const vite = await createServer(devConfig(target, server));
server.listen(port, 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/portal  /console  /catalogue`);
});
