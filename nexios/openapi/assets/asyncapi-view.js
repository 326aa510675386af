// Shows an AsyncAPI document: what there is to connect to, and what the messages look like.
// Everything from the document is put in as text, never as HTML.
"use strict";
globalThis.nexiosAsyncAPI = {};
{
  const MAX_DEPTH = 6;

  /** An element; `attributes` are set by name, `children` are elements or texts, and what is null is left out. */
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  };

  /** What a reference of the document leads to; anything else is itself. */
  const resolve = (root, thing) => {
    for (let steps = 0; steps < 20 && thing && typeof thing.$ref === "string"; steps += 1) {
      const keys = thing.$ref.slice(2).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
      thing = keys.reduce((part, key) => (part && Object.hasOwn(part, key) ? part[key] : undefined), root);
    }
    return thing;
  };

  const nameOf = (schema) => (schema && typeof schema.$ref === "string" ? schema.$ref.split("/").pop() : "");

  /** What a schema allows, in a few words. */
  const shortly = (root, schema, depth = 0) => {
    if (!schema || typeof schema !== "object" || depth > MAX_DEPTH) return "anything";
    if (schema.$ref) return nameOf(schema);
    if ("const" in schema) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    const choices = schema.anyOf || schema.oneOf;
    if (choices) return choices.map((choice) => shortly(root, choice, depth + 1)).join(" | ");
    if (schema.allOf) return schema.allOf.map((part) => shortly(root, part, depth + 1)).join(" & ");
    if (schema.type === "array") {
      const items = Array.isArray(schema.items) ? schema.items : [schema.items];
      return `list of ${items.map((item) => shortly(root, item, depth + 1)).join(", ")}`;
    }
    const types = [].concat(schema.type || (schema.properties ? "object" : "anything"));
    return types.join(" | ") + (schema.format ? ` (${schema.format})` : "");
  };

  const LIMITS = {
    minimum: "at least", maximum: "at most", exclusiveMinimum: "more than", exclusiveMaximum: "less than",
    minLength: "shortest", maxLength: "longest", pattern: "pattern", minItems: "fewest", maxItems: "most",
    multipleOf: "a multiple of", default: "otherwise",
  };

  const limits = (schema) =>
    Object.entries(LIMITS)
      .filter(([key]) => schema && typeof schema === "object" && key in schema)
      .map(([key, word]) => `${word} ${JSON.stringify(schema[key])}`)
      .join(", ");

  /** The objects that a schema is made of: itself, what it refers to, and the parts and choices of it. */
  const objects = (root, schema, depth = 0) => {
    if (!schema || typeof schema !== "object" || depth > MAX_DEPTH) return [];
    if (schema.$ref) {
      const found = objects(root, resolve(root, schema), depth + 1);
      return found.map((one) => ({ ...one, title: one.title || nameOf(schema) }));
    }
    const parts = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((list) => list || []);
    const own = schema.properties ? [{ title: schema.title || "", schema }] : [];
    const items = Array.isArray(schema.items) ? schema.items : schema.items ? [schema.items] : [];
    return [...own, ...[...parts, ...items].flatMap((part) => objects(root, part, depth + 1))];
  };

  /** Details whose content is made when they are first opened: models may hold each other without end. */
  const lazily = (attributes, summary, fill) => {
    const details = make("details", attributes, make("summary", {}, summary));
    details.addEventListener("toggle", () => details.append(...[fill()].flat().filter(Boolean)), { once: true });
    return details;
  };

  /** The fields of an object schema; the objects in each one are opened on demand. */
  const fields = (root, { schema }) => {
    const required = new Set(schema.required || []);
    const rows = Object.entries(schema.properties).map(([name, field]) => {
      const plain = resolve(root, field) || {};
      const words = field.description || plain.description;
      const inner = objects(root, field);
      return make("li", {},
        make("code", { class: "name" }, name), " ",
        make("span", { class: "type" }, shortly(root, field)),
        required.has(name) ? make("span", { class: "required" }, " required") : null,
        limits(plain) ? make("span", { class: "limits" }, ` ${limits(plain)}`) : null,
        words ? make("p", {}, words) : null,
        inner.map((one) => lazily({}, `Fields of ${one.title || name}`, () => fields(root, one))));
    });
    return make("ul", { class: "fields" }, rows);
  };

  /** A message: its name, its type, its fields and an example. */
  const message = (root, one) => {
    const title = [make("code", {}, one.name || "message"), " ",
      make("span", { class: "type" }, one.title || shortly(root, one.payload)),
      one.contentType && one.contentType !== "application/json" ? ` ${one.contentType}` : ""];
    const example = one.examples && one.examples[0];
    return lazily({ class: "message" }, title, () => {
      const parts = objects(root, one.payload);
      return [
        one.summary || one.description ? make("p", {}, one.summary || one.description) : null,
        ...parts.flatMap((part) => [parts.length > 1 && part.title ? make("h4", {}, part.title) : null, fields(root, part)]),
        example && "payload" in example ? make("pre", {}, make("code", {}, JSON.stringify(example.payload, null, 2))) : null,
      ];
    });
  };

  const messages = (root, title, references) => {
    const found = (references || []).map((one) => resolve(root, one)).filter(Boolean);
    return found.length ? make("div", {}, make("h3", {}, title), found.map((one) => message(root, one))) : null;
  };

  const inputs = (root, title, schema) =>
    schema && schema.properties
      ? make("div", {}, make("h3", {}, title), fields(root, { schema }))
      : null;

  const KINDS = { ws: "WebSocket", http: "event stream", "": "channel" };

  /** What is known of a channel: its operations by action, and how it is reached. */
  const describe = (root, id, channel) => {
    const operations = Object.values(root.operations || {}).filter((one) => one.channel.$ref === `#/channels/${id}`);
    const receive = operations.find((one) => one.action === "receive");
    const send = operations.find((one) => one.action === "send");
    const bindings = channel.bindings || {};
    const wire = typeof channel.address !== "string" ? "" : bindings.ws ? "ws" : "http";
    const http = (send && send.bindings && send.bindings.http) || {};
    return {
      id, channel, receive, send, wire,
      method: http.method || "GET",
      query: wire === "ws" ? bindings.ws.query : http.query,
      headers: wire === "ws" ? bindings.ws.headers : null,
    };
  };

  const section = (root, described, console) => {
    const { id, channel, receive, send, wire } = described;
    const parameters = Object.fromEntries(
      Object.entries(channel.parameters || {}).map(([name, one]) => [name, { ...one["x-schema"], description: one.description }]));
    const path = { properties: parameters, required: Object.keys(parameters) };
    const reply = receive && receive.reply ? receive.reply.messages : [];
    return make("section", { id: `channel-${id}`, "aria-labelledby": `title-${id}` },
      make("h2", { id: `title-${id}` }, make("span", { class: `kind ${wire || "inner"}` }, KINDS[wire]), " ",
        make("code", {}, typeof channel.address === "string" ? channel.address : channel.title || id)),
      channel.summary ? make("p", { class: "summary" }, channel.summary) : null,
      channel.description ? make("p", { class: "text" }, channel.description) : null,
      Object.keys(parameters).length ? inputs(root, "In the path", path) : null,
      inputs(root, "In the query", described.query),
      inputs(root, "In the headers", described.headers),
      messages(root, "It receives", receive && receive.messages),
      messages(root, "It answers what does not fit", reply),
      messages(root, "It sends", send && send.messages),
      wire ? console(root, described) : null);
  };

  const page = (root, url, console) => {
    const channels = Object.entries(root.channels || {}).map(([id, channel]) => describe(root, id, channel));
    const links = channels.map(({ id, channel }) =>
      make("li", {}, make("a", { href: `#channel-${id}` }, typeof channel.address === "string" ? channel.address : channel.title || id)));
    const { title, version, description } = root.info;
    return [
      make("a", { class: "skip", href: "#channels" }, "Skip to the channels"),
      make("header", {}, make("h1", {}, title, " ", make("small", {}, version)),
        description ? make("p", { class: "text" }, description) : null,
        make("p", {}, make("a", { href: url }, "The AsyncAPI document"))),
      make("nav", { "aria-label": "Channels" }, make("ul", {}, links)),
      make("main", { id: "channels", tabindex: "-1" },
        channels.length ? channels.map((one) => section(root, one, console))
          : make("p", {}, "This application has no WebSockets and declares no event streams.")),
    ];
  };

  Object.assign(globalThis.nexiosAsyncAPI, { make, resolve, page });
}
