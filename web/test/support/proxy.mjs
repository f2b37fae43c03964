// A proxy in front of several APIs: each request goes to the next one.
import { once } from 'node:events';
import { Agent, createServer, request as sendRequest } from 'node:http';

/** Starts the proxy on a free port. Its `backends` are host names with ports, which the caller fills in. */
export async function startProxy() {
  const backends = [];
  const agent = new Agent({ keepAlive: true });
  let count = 0;
  const server = createServer((request, response) => {
    const [host, port] = backends[count++ % backends.length].split(':');
    const { method, url: path, socket } = request;
    const forwardedFor = [request.headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', ');
    const headers = { ...request.headers, 'x-forwarded-for': forwardedFor };
    const forwarded = sendRequest({ agent, host, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A deployment that does not start must not keep the test run alive.
  server.unref();
  return {
    backends,
    origin: `http://localhost:${server.address().port}`,
    stop: () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}
