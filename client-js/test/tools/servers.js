import { request as ask } from 'node:http';
import { connect } from 'node:net';

/** Has a server listen on a free port of the loopback interface. Resolves with the port. */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

/** Ends a server of HTTP and its connections. */
export function end(server) {
  server.close();
  server.closeAllConnections();
}

/** Passes a request on to the same path at another port, and what that sends back while it comes. */
export function passOn(request, response, port) {
  const { url: path, method, headers } = request;
  const passed = ask({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers).flushHeaders();
    answer.on('error', () => response.destroy()).pipe(response);
  });
  passed.on('error', () => response.destroy());
  response.on('close', () => passed.destroy());
  request.pipe(passed);
}

/** Passes WebSockets on to the same path at another port. */
export function passUpgradesOn(server, port) {
  server.on('upgrade', ({ method, url: path, rawHeaders }, near, head) => {
    const far = connect(port, '127.0.0.1');
    const lines = rawHeaders.map((text, i) => text + (i % 2 ? '\r\n' : ': '));
    far.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
    const end = () => [near, far].forEach((one) => one.destroy());
    for (const one of [near, far]) one.on('error', end).on('close', end);
  });
}
