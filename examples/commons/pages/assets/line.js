/* A WebSocket that comes back: when the network drops it connects again, later and later, and asks for what it missed. */

const FIRST_WAIT = 500, LONGEST_WAIT = 15_000; // milliseconds between two attempts
const SILENCE = 20_000, PATIENCE = 8_000; // until the server is asked whether it is there, and until it must answer
const isRefusal = (code) => code === 1008 || code >= 4000; // coming back is of no use; after all others it is
const PING = '{"type":"ping"}', PONG = '{"type":"pong"}';

export class Line {
  /** `address(lastSeen)` says where to; `heard` gets each message once; `changed(isOpen)` hears how things are. */
  constructor({ address, lastSeen, heard, changed }) {
    Object.assign(this, { address, lastSeen, heard, changed });
    this.attempts = 0;
    addEventListener("online", () => this.ended || this.open());
    addEventListener("offline", () => this.lose());
    this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  /** Connect anew, at once. What the one before says from now on is not heard. */
  open() {
    clearTimeout(this.timer);
    this.socket?.close();
    const socket = (this.socket = new WebSocket(this.address(this.lastSeen)));
    socket.onopen = () => socket === this.socket && this.changed(true);
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return;
      this.ended ||= isRefusal(code);
      this.lose();
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(data);
    this.watch();
  }

  /** Give up for good. */
  end() {
    this.ended = true;
    this.lose();
  }

  hear(data) {
    this.attempts = 0;
    this.watch();
    if (data === PING) this.socket.send(PONG);
    if (data === PING || data === PONG) return;
    const message = JSON.parse(data);
    if (message.sequence <= this.lastSeen) return;
    this.lastSeen = message.sequence ?? this.lastSeen;
    this.heard(message);
  }

  /** A network that is gone says nothing, so the server is asked now and then. */
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.isOpen) this.socket.send(PING);
      this.timer = setTimeout(() => this.lose(), PATIENCE);
    }, SILENCE);
  }

  lose() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.changed(false);
    if (this.ended) return;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts++);
    this.timer = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2)); // not all clients at once
  }
}
