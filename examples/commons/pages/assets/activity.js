/* What is new in all rooms: server-sent events, which the browser asks for again by itself, from where it was. */

const SHOWN = 8;
const feed = document.getElementById("activity");
const list = feed.querySelector("ul");

new EventSource(feed.dataset.path).addEventListener("said", ({ data }) => {
  const { room_id, room, author, text, message_id } = JSON.parse(data);
  const item = document.getElementById("blank-activity").content.firstElementChild.cloneNode(true);
  const link = item.querySelector("a");
  link.href = `/rooms/${room_id}#message-${message_id}`;
  link.textContent = room;
  item.querySelector("strong").textContent = author;
  item.querySelector(".said").textContent = text;
  list.prepend(item);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  feed.hidden = false;
});
