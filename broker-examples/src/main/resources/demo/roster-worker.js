/** Holds one watch per distinct filter for all tabs of this browser. See roster.js. */
import { Roster } from './roster.js';

/** filter → the list, and the tabs that look at it. */
const lists = new Map();

globalThis.onconnect = ({ ports: [port] }) => {
  let current = null;

  const leave = () => {
    const list = lists.get(current);
    if (list?.ports.delete(port) && list.ports.size === 0) {
      list.roster.close();
      lists.delete(current);
    }
    current = null;
  };

  const watch = ({ base, filter }) => {
    if (current === filter) leave(); // asked again: as good as new, if no one else holds it
    let list = lists.get(filter);
    if (!list) {
      const ports = new Set();
      const roster = new Roster(base, filter, (snapshot) => {
        for (const each of ports) each.postMessage(snapshot);
      });
      list = { roster, ports };
      lists.set(filter, list);
    }
    list.ports.add(port);
    if (current !== null) leave();
    current = filter;
    port.postMessage(list.roster.snapshot);
  };

  port.onmessage = ({ data }) => {
    if (data.watch) watch(data.watch);
    if (data.retry) lists.get(current)?.roster.retry();
    if (data.leave) leave();
  };
};
