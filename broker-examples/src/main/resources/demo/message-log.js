/** The messages of one chat, as a list that screen readers follow. */
import { make, setText, showList } from './dom.js';

export class MessageLog {
  #chat;
  #sendAgain;
  #list;
  #keys = new WeakMap();
  #count = 0;

  /** @param sendAgain is called with a line that could not be sent, when its button is pressed */
  constructor(container, chat, sendAgain) {
    this.#chat = chat;
    this.#sendAgain = sendAgain;
    this.#list = make('ol', { class: 'log', role: 'log', tabindex: '0', 'aria-label': `Messages with ${chat.name}` });
    container.append(this.#list);
  }

  set hidden(hidden) {
    this.#list.hidden = hidden;
  }

  /** Shows what is new; stays at the end if it was there. */
  update() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const atEnd = scrollHeight - scrollTop - clientHeight < 80;
    showList(this.#list, this.#chat.lines, (line) => this.#keyOf(line),
      (line) => this.#make(line), (item, line) => this.#fill(item, line));
    if (atEnd) this.scrollToEnd();
  }

  scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  remove() {
    this.#list.remove();
  }

  #keyOf(line) {
    if (!this.#keys.has(line)) this.#keys.set(line, ++this.#count);
    return this.#keys.get(line);
  }

  #make({ from, text, at }) {
    const words = make('p', { class: 'text', dir: 'auto' }, text);
    if (from === 'note') return make('li', { class: 'note' }, words);
    const time = make('time', { datetime: at.toISOString() },
      at.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' }));
    const who = make('span', { class: 'unseen' }, from === 'me' ? 'You' : this.#chat.name);
    return make('li', { class: from }, who, words, make('p', { class: 'meta' }, time, make('span', { class: 'why' })));
  }

  #fill(item, line) {
    if (line.from !== 'me') return;
    item.dataset.state = line.state;
    setText(item.querySelector('.why'),
      { sending: 'Sending…', sent: '', failed: `Not sent. ${line.why}` }[line.state]);
    const button = item.querySelector('button');
    if (line.state !== 'failed') button?.remove();
    else if (!button) {
      const again = make('button', { type: 'button', class: 'quiet' }, 'Send again');
      again.addEventListener('click', () => this.#sendAgain(line));
      item.querySelector('.meta').append(again);
    }
  }
}
