// The least that shows the floor: a text node for each cell, written where it changed, and the clocks once a second.
const CELLS = {
  queues: ["name", "waiting", "oldest", "offered", "answered", "abandoned", "ready", "busy", "paused", "offline"],
  agents: ["name", "extension", "state", "since", "call", "answered", "dialed", "missed", "connected_s"],
};
const CLOCKS = new Set(["oldest", "since"]);
const texts = { queues: new Map(), agents: new Map() };
const clocks = new Map();

const ago = (at) => {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(at)) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function write(text, field, value) {
  if (CLOCKS.has(field)) {
    if (value) clocks.set(text, value);
    else clocks.delete(text);
    text.data = value ? ago(value) : "";
  } else if (field === "call") text.data = value ? (value.name ?? value.number ?? "") : "";
  else text.data = value ?? "";
}

function take(table, key, fields) {
  const rows = texts[table];
  if (!fields) return;
  if (!rows.has(key)) {
    const line = document.getElementById(table).insertRow();
    const made = {};
    for (const field of CELLS[table]) made[field] = line.insertCell().appendChild(document.createTextNode(""));
    rows.set(key, made);
  }
  for (const [field, value] of Object.entries(fields)) {
    const text = rows.get(key)[field];
    if (text) write(text, field, value);
  }
}

setInterval(() => {
  for (const [text, at] of clocks) text.data = ago(at);
}, 1000);

async function watch() {
  const headers = { "X-Callcenter": "1" };
  const pass = await (await fetch("/api/v1/screenpop/ticket", { method: "POST", headers })).json();
  const socket = new WebSocket(pass.url);
  socket.onopen = () => socket.send(JSON.stringify({ type: "watch", ticket: pass.ticket }));
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    for (const table of Object.keys(CELLS)) {
      for (const [key, fields] of Object.entries(message[table])) take(table, key, fields);
    }
  };
}

void watch();
