// The console of the AsyncAPI page: connects to a WebSocket or an event stream of this site, sends, and keeps a log.
"use strict";
{
  const { make, resolve } = globalThis.nexiosAsyncAPI;
  const MAX_ENTRIES = 500;
  const MAX_SHOWN = 20_000; // characters of one message
  const MAX_BYTES = 64; // bytes shown of a binary message
  const site = document.getElementById("docs").dataset.root;

  const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };
  const time = () => new Date().toLocaleTimeString([], CLOCK);

  /** What came, as people read it: JSON with indents, bytes as digits. */
  const readable = (data) => {
    if (data instanceof ArrayBuffer) {
      const digits = [...new Uint8Array(data.slice(0, MAX_BYTES))].map((byte) => byte.toString(16).padStart(2, "0"));
      return `${data.byteLength} bytes: ${digits.join(" ")}${data.byteLength > MAX_BYTES ? " ..." : ""}`;
    }
    let text = data;
    try {
      text = JSON.stringify(JSON.parse(data), null, 2);
    } catch { /* it is no JSON, and shown as it is */ }
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)} ... (${text.length} characters)` : text;
  };

  /** The log of one console; `add("sent", text)`. */
  const makeLog = () => {
    const list = make("ol", { role: "log", "aria-live": "polite", "aria-label": "What was sent and received", tabindex: "0" });
    const add = (direction, text, note = "") => {
      const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
      list.append(make("li", { class: direction },
        make("time", {}, time()), " ", make("strong", {}, direction), note ? ` ${note}` : null,
        text === "" ? null : make("pre", {}, text)));
      while (list.childElementCount > MAX_ENTRIES) list.firstElementChild.remove();
      if (atEnd) list.scrollTop = list.scrollHeight;
    };
    return { list, add };
  };

  /** A field for one parameter; an empty one is left out of the query. */
  const makeField = (id, name, schema, source, required) => {
    const field = `${id}-${source}-${name}`;
    const first = schema.default ?? (schema.examples || schema.enum || [])[0] ?? (schema.type === "integer" ? 1 : "");
    const value = required || source === "path" ? first : (schema.default ?? "");
    const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
    const input = make("input", { id: field, name, value: shown, autocomplete: "off", spellcheck: "false", required });
    return { name, source, schema, input, row: make("p", { class: "field" }, make("label", { for: field }, `${name} (${source})`), input) };
  };

  const makeFields = ({ id, channel, query }) => [
    ...Object.entries(channel.parameters || {}).map(([name, one]) =>
      makeField(id, name, { ...one["x-schema"], enum: one.enum, examples: one.examples, spans: one["x-spans-segments"] }, "path", true)),
    ...Object.entries((query && query.properties) || {}).map(([name, schema]) =>
      makeField(id, name, schema, "query", ((query && query.required) || []).includes(name))),
  ];

  /** Marks the fields that have to be filled in and are not, goes to the first, and returns their names. */
  const markMissing = (fields) => {
    const missing = fields.filter(({ source, input }) => {
      const lacks = input.value === "" && (source === "path" || input.required);
      input.setAttribute("aria-invalid", String(lacks));
      return lacks;
    });
    if (missing.length) missing[0].input.focus();
    return missing.map(({ name, source }) => `${name} (${source})`);
  };

  /** The URL that the fields lead to, on this site and below its prefix. */
  const addressOf = ({ channel, wire }, fields) => {
    let path = channel.address;
    for (const { name, source, schema, input } of fields) {
      const value = encodeURIComponent(input.value);
      if (source === "path") path = path.replace(`{${name}}`, () => (schema.spans ? value.replaceAll("%2F", "/") : value));
    }
    const url = new URL(new URL(site, document.baseURI).href.replace(/\/$/, "") + path);
    for (const { name, source, schema, input } of fields) {
      if (source !== "query" || input.value === "") continue;
      const values = schema.type === "array" ? input.value.split(",").map((one) => one.trim()) : [input.value];
      values.forEach((value) => url.searchParams.append(name, value));
    }
    if (wire === "ws") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  };

  /** Opens a WebSocket, and returns what sends to it and what closes it. */
  const openSocket = (url, log, changed) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => { log.add("opened", ""); changed("open"); });
    socket.addEventListener("message", (event) => log.add("received", readable(event.data)));
    socket.addEventListener("close", ({ code, reason }) => {
      log.add("closed", reason, code === 1006 ? "1006: denied, or the connection broke" : String(code));
      changed("closed");
    });
    return { send: (text) => { socket.send(text); log.add("sent", readable(text)); }, close: () => socket.close(1000) };
  };

  /** Opens an event stream; the browser asks again when it ends. */
  const openStream = (url, log, changed, events) => {
    const source = new EventSource(url);
    const show = (event) => {
      const id = event.lastEventId ? `, id ${event.lastEventId}` : "";
      log.add("received", readable(event.data), event.type + id);
    };
    source.addEventListener("open", () => { log.add("opened", ""); changed("open"); });
    new Set(["message", ...events]).forEach((name) => source.addEventListener(name, (event) => { if ("data" in event) show(event); }));
    source.addEventListener("error", (event) => {
      if ("data" in event) return;
      const over = source.readyState === EventSource.CLOSED;
      log.add("closed", "", over ? "it is no event stream, or was refused" : "it ended; the browser asks again");
      changed(over ? "closed" : "waiting");
    });
    return { send: () => {}, close: () => { source.close(); log.add("closed", "", "by you"); changed("closed"); } };
  };

  /** What to send: a message to begin with, and a text that can be changed. */
  const makeComposer = (root, { id, receive }, send) => {
    const known = ((receive && receive.messages) || []).map((one) => resolve(root, one)).filter(Boolean);
    const select = make("select", { id: `${id}-message` },
      known.map((one, number) => make("option", { value: String(number) }, one.title && one.title !== one.name ? `${one.name} (${one.title})` : one.name)));
    const text = make("textarea", { id: `${id}-text`, rows: "6", spellcheck: "false", "aria-keyshortcuts": "Control+Enter" });
    const fill = () => {
      const one = known[Number(select.value)];
      const example = one && one.examples && one.examples[0];
      text.value = example ? JSON.stringify(example.payload, null, 2) : "";
    };
    const button = make("button", { type: "button" }, "Send");
    const go = () => { if (!button.disabled) send(text.value); };
    select.addEventListener("change", fill);
    button.addEventListener("click", go);
    text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go(); });
    fill();
    const choice = known.length ? make("p", { class: "field" }, make("label", { for: select.id }, "Message"), select) : null;
    return {
      button,
      element: make("div", { class: "composer" }, choice,
        make("p", { class: "field" }, make("label", { for: text.id }, "Text to send"), text), make("p", {}, button)),
    };
  };

  const STATES = { closed: "Not connected", connecting: "Connecting", open: "Connected", waiting: "Waiting to connect again" };

  /** The console of one channel. */
  const makeConsole = (root, described) => {
    const { id, wire, method, headers, send } = described;
    if (wire === "http" && method !== "GET") return null; // a browser asks for event streams by GET
    const fields = makeFields(described);
    const log = makeLog();
    const state = make("span", { role: "status" }, STATES.closed);
    const shown = make("code", { class: "address" });
    const connect = make("button", { type: "submit" }, "Connect");
    const disconnect = make("button", { type: "button", disabled: true }, "Disconnect");
    const clear = make("button", { type: "button" }, "Clear");
    let connection = null;
    const composer = wire === "ws" ? makeComposer(root, described, (text) => connection.send(text)) : null;

    const changed = (name) => {
      state.textContent = STATES[name];
      connect.disabled = name !== "closed";
      disconnect.disabled = name === "closed";
      if (composer) composer.button.disabled = name !== "open";
      if (name === "closed") connection = null;
    };
    const showAddress = () => { shown.textContent = addressOf(described, fields); };
    const open = () => {
      const missing = markMissing(fields);
      if (missing.length) return log.add("not connected", "", `fill in ${missing.join(", ")}`);
      const url = addressOf(described, fields);
      const events = ((send && send.messages) || []).map((one) => resolve(root, one)).filter(Boolean).map((one) => one.name);
      log.add("connecting", "", url);
      changed("connecting");
      connection = wire === "ws" ? openSocket(url, log, changed) : openStream(url, log, changed, events);
    };

    const form = make("form", { novalidate: true }, fields.map((one) => one.row), make("p", {}, shown), make("p", {}, connect, " ", disconnect, " ", state));
    form.addEventListener("input", (event) => { event.target.removeAttribute("aria-invalid"); showAddress(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); if (!connection) open(); });
    disconnect.addEventListener("click", () => { if (connection) connection.close(); });
    clear.addEventListener("click", () => log.list.replaceChildren());
    showAddress();
    changed("closed");
    return make("div", { class: "console" },
      make("h3", {}, "Try it"),
      headers ? make("p", {}, "A browser sends its cookies here, and no other headers.") : null,
      form, composer ? composer.element : null, make("p", {}, clear), log.list);
  };

  globalThis.nexiosAsyncAPI.makeConsole = makeConsole;
}
