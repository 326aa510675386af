/* A room, live. Without this script its forms work as well; what is shown is text and never markup. */

import { Line } from "./line.js";

const live = document.getElementById("live");
const list = document.querySelector(".messages");
const composer = document.getElementById("write");
const { author, text, file } = composer.elements;
const state = document.getElementById("state");
const problem = document.getElementById("problem");

const TYPING = 3_000; // milliseconds between two of our notes that we write; others forget it after twice as long
const present = new Map(); // whoever is here: name by key, empty for guests
const writers = new Map(); // whoever writes: a timer by name
let pending = null; // what we said and have not heard yet
let isCurrent = false; // whether we have heard all that we missed
let typedAt = 0;

author.value ||= localStorage.getItem("author") ?? ""; // that of a member is filled in

const line = new Line({
  lastSeen: Number(live.dataset.lastSeen),
  address(lastSeen) {
    const query = new URLSearchParams({ name: author.value.trim(), last_seen: lastSeen });
    return `${location.origin.replace("http", "ws")}${live.dataset.path}?${query}`;
  },
  changed(isOpen) {
    isCurrent = false;
    if (!isOpen) notConnected();
  },
  heard(message) {
    if (message.type === "error") return refused(message);
    EVENTS[message.event]?.(message.data);
  },
});

const EVENTS = {
  said({ message, key }) {
    show(message);
    stops(message.author);
    if (pending && key === pending.key) done("");
  },
  edited({ message }) {
    if (document.getElementById(`message-${message.id}`)) show(message);
  },
  deleted({ id }) {
    const shown = document.getElementById(`message-${id}`);
    if (shown) count(-1);
    shown?.remove();
  },
  closed() {
    line.end();
    state.textContent = "This room was deleted.";
  },
  typing({ name }) {
    clearTimeout(writers.get(name));
    writers.set(name, setTimeout(stops, 2 * TYPING, name));
    tellWriters();
  },
  gap() {
    document.getElementById("gap").hidden = false;
  },
  presence({ joins, leaves, updates }) {
    if (!isCurrent) caughtUp();
    leaves.forEach((one) => present.delete(one.user || one.id));
    [...joins, ...updates].forEach((one) => present.set(one.user || one.id, one.metadata?.name ?? one.user ?? ""));
    document.getElementById("here").textContent = `Here: ${peopleIn([...present.values()])}`;
  },
};

/** Presence is told first when all that was missed has been: what we said and is not in it did not arrive. */
function caughtUp() {
  isCurrent = true;
  present.clear();
  state.textContent = "Connected";
  if (pending) line.send(pending);
}

function show(message) {
  const item = document.getElementById("blank-message").content.firstElementChild.cloneNode(true);
  item.id = `message-${message.id}`;
  item.dataset.id = message.id;
  item.querySelector("strong").textContent = message.author;
  item.querySelector(".text").textContent = message.text;
  const time = item.querySelector("time");
  time.dateTime = message.created_at;
  time.textContent = moment(message.created_at);
  const tag = item.querySelector(".tag");
  tag.textContent = tag.dataset.kind = kind(message.member);
  item.querySelector(".avatar").replaceWith(picture(message));
  actions(item, message);
  item.querySelector(".message-body").append(...message.attachments.map(attached));
  list.querySelector(".empty")?.remove();
  const shown = document.getElementById(item.id);
  const after = [...list.children].find((other) => Number(other.dataset.id) > message.id);
  if (shown) return shown.replaceWith(item);
  list.insertBefore(item, after ?? null);
  count(1);
}

/** A guest may write under any name, so it is said who is one. */
function kind(member) {
  if (!member) return "guest";
  return member.role === "member" ? "" : member.role;
}

function picture({ author, member }) {
  const made = document.createElement(member?.avatar ? "img" : "span");
  made.className = "avatar";
  if (member?.avatar) Object.assign(made, { src: member.avatar, alt: "", width: 40, height: 40 });
  else {
    made.textContent = [...author][0].toUpperCase();
    made.ariaHidden = "true";
  }
  return made;
}

/** The server asks again whether someone may; here it is about what is shown. */
function actions(item, { id, author, member }) {
  const isOwn = member && String(member.id) === live.dataset.member;
  const made = item.querySelector(".actions");
  if (!isOwn && !live.dataset.editor) return made?.remove();
  const [edit, form, remove] = ["a", "form", "button"].map((name) => made.querySelector(name));
  edit.href = `/messages/${id}/edit`;
  edit.setAttribute("aria-label", `Edit the message of ${author}`);
  form.action = `/messages/${id}/delete`;
  remove.setAttribute("aria-label", `Delete the message of ${author}`);
}

function count(difference) {
  const counter = document.getElementById("count");
  const number = (counter.dataset.count = Number(counter.dataset.count) + difference);
  counter.textContent = number === 1 ? "1 message" : `${number} messages`;
}

function attached(attachment) {
  const item = document.getElementById("blank-attachment").content.firstElementChild.cloneNode(true);
  const link = item.querySelector("a");
  link.href = `/api/attachments/${attachment.id}`;
  link.download = attachment.filename;
  link.textContent = attachment.caption || attachment.filename;
  item.querySelector(".meta").textContent = `${attachment.filename}, ${attachment.size.toLocaleString("en")} bytes`;
  return item;
}

composer.addEventListener("submit", (event) => {
  if (file.files.length) return; // files go by the form
  event.preventDefault();
  if (pending) return;
  pending = { type: "chat.message", text: text.value, key: `${Date.now()}-${Math.random()}` };
  text.readOnly = true;
  problem.hidden = true;
  if (isCurrent) line.send(pending);
  else notConnected();
});

function notConnected() {
  const then = pending ? "Your message is sent as soon as you are." : "You will get what you missed.";
  state.textContent = `Not connected. ${then}`;
}

function refused({ detail, errors }) {
  problem.textContent = errors[0]?.detail ?? detail;
  problem.hidden = false;
  done(text.value);
}

function done(left) {
  pending = null;
  text.value = left;
  text.readOnly = false;
}

text.addEventListener("input", () => {
  if (!author.value.trim() || Date.now() - typedAt < TYPING) return;
  typedAt = Date.now();
  line.send({ type: "chat.typing" });
});

author.addEventListener("change", () => {
  localStorage.setItem("author", author.value.trim());
  line.open();
});

function stops(name) {
  clearTimeout(writers.get(name));
  writers.delete(name);
  tellWriters();
}

function tellWriters() {
  const names = [...writers.keys()];
  document.getElementById("typing").textContent = names.length ? `${names.join(", ")} is writing…` : "";
}

function peopleIn(everyone) {
  const names = everyone.filter(Boolean).sort((one, other) => one.localeCompare(other));
  const guests = everyone.length - names.length;
  return [...names, ...(guests ? [guests === 1 ? "1 guest" : `${guests} guests`] : [])].join(", ");
}

function moment(iso) {
  const parts = { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  return `${new Date(iso).toLocaleString("en-GB", parts)} UTC`;
}
