/**
 * Opens streams as its input says, a line each (`open <number> <url>`), and writes what
 * comes as lines of JSON. Does what the protocol asks of a client: closes when the server says so.
 */
import { createInterface } from 'node:readline';
import { EventSource } from 'eventsource';

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

for await (const line of createInterface({ input: process.stdin })) {
  const [, number, url] = line.split(' ');
  const source = new EventSource(url);
  for (const name of ['channel', 'message', 'close']) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      say({ number, name, data, lastEventId });
      if (name === 'close' && JSON.parse(data).reason === 'superseded') source.close();
    });
  }
  source.addEventListener('error', () => say({ number, error: source.readyState }));
}
process.exit(0);
