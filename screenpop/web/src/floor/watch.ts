/** The connection that shows the floor: a ticket, `watch`, the whole, and changes; comes back by itself for days. */
import { reactive, shallowReactive } from "vue";

import { ticket } from "../api/verbs";
import { backoff } from "../stream/backoff";
import { CLOSE } from "../stream/messages";
import { EMPTY, type FloorMessage, type Tables, patch } from "./picture";

export type FloorConnection = "connecting" | "live" | "lost" | "refused" | "signed_out";

/** Nothing for so long, though the server pings: the network is gone and nobody said so. */
const SILENT_MS = 120_000;
const FIRST_MS = 15_000;

export const floor = reactive({ connection: "connecting" as FloorConnection, version: 0 });
/** Rows are reactive one by one, so that a change draws one line and not the page. */
export const tables: Tables = shallowReactive(freshTables());

let socket: WebSocket | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;
let expected = 0;
let users = 0;

function freshTables(): Tables {
  const { queues, callers, members, agents } = EMPTY();
  return {
    queues: shallowReactive(queues),
    callers: shallowReactive(callers),
    members: shallowReactive(members),
    agents: shallowReactive(agents),
  };
}

/** Begin to watch; pages that watch at the same time share the connection. */
export function watchFloor(): void {
  users += 1;
  if (users > 1) return;
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  attempt = 0;
  floor.connection = "connecting";
  void connect();
}

/** Stop watching, when the last page does. */
export function leaveFloor(): void {
  users -= 1;
  if (users > 0) return;
  window.removeEventListener("online", wake);
  document.removeEventListener("visibilitychange", wake);
  clearTimeout(timer);
  drop();
  Object.assign(tables, freshTables());
}

function wake(): void {
  if (socket || document.hidden || users === 0) return;
  clearTimeout(timer);
  attempt = 0;
  void connect();
}

function drop(): void {
  const old = socket;
  socket = null;
  if (!old) return;
  old.onopen = old.onmessage = old.onclose = null;
  old.close();
}

function retry(): void {
  clearTimeout(timer);
  if (users === 0) return;
  floor.connection = "lost";
  timer = setTimeout(() => void connect(), backoff(attempt));
  attempt += 1;
}

function lose(): void {
  drop();
  retry();
}

async function connect(): Promise<void> {
  let pass: { ticket: string; url: string };
  try {
    pass = await ticket();
  } catch (problem) {
    if ((problem as { status?: number }).status === 401) floor.connection = "signed_out";
    else retry();
    return;
  }
  if (users === 0 || socket) return;
  const opened = new WebSocket(new URL(pass.url, location.href));
  socket = opened;
  timer = setTimeout(lose, FIRST_MS);
  opened.onopen = () => opened.send(JSON.stringify({ type: "watch", ticket: pass.ticket }));
  opened.onmessage = (event) => receive(String(event.data));
  opened.onclose = (event) => {
    socket = null;
    if (event.code === CLOSE.origin) {
      clearTimeout(timer);
      floor.connection = "refused";
    } else retry();
  };
}

function receive(text: string): void {
  clearTimeout(timer);
  timer = setTimeout(check, SILENT_MS);
  let message: FloorMessage;
  try {
    message = JSON.parse(text) as FloorMessage;
  } catch {
    return lose();
  }
  if (message.type === "floor") {
    Object.assign(tables, freshTables());
    expected = 0;
    attempt = 0;
    floor.connection = "live";
  } else if (message.n !== expected) return lose();
  expected += 1;
  patch(tables, message, shallowReactive);
  floor.version += 1;
}

/** A quiet floor is no lost one: ask anew, which shows the whole again. */
function check(): void {
  drop();
  void connect();
}
