/** The desk of the agent who is logged in: joins the stream, the other windows, the cards and the attention. */
import { computed, reactive, shallowRef } from "vue";

import { saveNote, ticket } from "../api/verbs";
import { formatNumber } from "../format";
import type { AgentNow, Notice } from "../stream/messages";
import { EMPTY, type StreamState } from "../stream/state";
import { Stream, type Connection, type Socket } from "../stream/stream";
import { Tabs } from "../stream/tabs";
import { cards as makeCards, choose, leaving, merged, surplus, type Card, type Departure } from "./cards";
import { Note } from "./note";
import { onceLogged } from "./patience";
import { who } from "./session";

interface Desk {
  connection: Connection;
  /** Whether the connection was lost and has come back: said for a moment. */
  back: boolean;
  /** Whether it was live at least once. */
  everLive: boolean;
  selected: string | null;
  departures: Departure[];
  /** Customers that the agent chose for a call, before the server's stream says so. */
  chosen: Record<string, string>;
  /** Names of customers, by call, where they are known better than by the match. */
  names: Record<string, string>;
}

const FRESH: Desk = {
  connection: "connecting",
  back: false,
  everLive: false,
  selected: null,
  departures: [],
  chosen: {},
  names: {},
};
const BACK_SHOWN_MS = 4_000;
const DEPARTURES_KEPT = 3;

export const desk = reactive<Desk>({ ...FRESH });
export const state = shallowRef<StreamState>(EMPTY);
export const cards = computed<Card[]>(() => makeCards(state.value));
export const card = computed<Card | null>(() => cards.value.find((one) => one.id === desk.selected) ?? null);
/** Counts up whenever a call ended or the stream came back: lists of calls should be read again. */
export const callsChanged = shallowRef(0);
/** Counts up whenever callbacks or missed calls were changed here. */
export const listsChanged = shallowRef(0);

export interface DeskParts {
  /** A call began to ring, in the window that leads; `seen` when the agent looks at one of the windows. */
  onRing(card: Card, seen: boolean): void;
  /** Nothing rings any more. */
  onQuiet(): void;
  onNotice(notice: Notice): void;
  onSignedOut(): void;
}

const notes = new Map<string, Note>();
let stream: Stream | null = null;
let tabs: Tabs | null = null;
let parts: DeskParts | null = null;
/** A call that the agent has dialed and that is to be shown when it comes. */
let expected: string | null = null;

/** The note of a call, the same object for as long as its card is on the desk. */
export function noteOf(callId: string): Note {
  let note = notes.get(callId);
  if (!note) {
    note = new Note((text, keepalive) => onceLogged(() => saveNote(callId, text, keepalive)));
    notes.set(callId, note);
  }
  return note;
}

/** What to call a call where there is little room: the customer, else the name or number that the PBX shows. */
export function titleOf(one: Card): string | null {
  const single = one.match?.status === "one" ? one.match.candidates[0]?.name : undefined;
  return desk.names[one.id] ?? single ?? one.name ?? (one.number ? formatNumber(one.number) : null);
}

/** Begin to listen for the calls of `login`. */
export function openDesk(login: string, given: DeskParts): void {
  if (tabs) return;
  parts = given;
  Object.assign(desk, { ...FRESH, departures: [], chosen: {}, names: {} });
  stream = new Stream({
    ticket,
    open: (url) => new WebSocket(new URL(url, location.href)) as Socket,
    onState: (next) => show(next, true),
    onConnection: connected,
    onNotice: (notice) => parts?.onNotice(notice),
  });
  tabs = new Tabs(`callcenter-desk:${login}`, {
    locks: navigator.locks as LockManager | undefined,
    onLead: (known) => stream?.start(known),
    onShared: (shared) => {
      connected(shared.connection);
      show(shared.state, false);
    },
    onDismiss: (callId) => stream?.dismiss(callId),
  });
  tabs.join();
  tabs.show(looked());
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("focus", seen);
  window.addEventListener("blur", seen);
  window.addEventListener("online", wake);
  window.addEventListener("offline", lose);
  window.addEventListener("pagehide", hide);
}

/** Stop listening, and forget everything: the next person at this browser starts with an empty desk. */
export function closeDesk(): void {
  document.removeEventListener("visibilitychange", seen);
  window.removeEventListener("focus", seen);
  window.removeEventListener("blur", seen);
  window.removeEventListener("online", wake);
  window.removeEventListener("offline", lose);
  window.removeEventListener("pagehide", hide);
  stream?.stop();
  tabs?.leave();
  stream = tabs = parts = null;
  state.value = EMPTY;
  notes.clear();
  Object.assign(desk, { ...FRESH, departures: [], chosen: {}, names: {} });
}

/** Show this call as soon as it is there, whichever is shown now. */
export function expectCall(callId: string): void {
  expected = cards.value.some((one) => one.id === callId) ? null : callId;
  if (!expected) desk.selected = callId;
}

/** Take over from the window that has the stream now. */
export function takeOver(): void {
  stream?.start(state.value);
}

const wake = (): void => stream?.wake();
const lose = (): void => stream?.lose();

/** A window that is in sight, but behind the one that the agent works in, is not looked at. */
const looked = (): boolean => !document.hidden && document.hasFocus();

function seen(): void {
  tabs?.show(looked());
  if (!document.hidden) stream?.wake();
}

function hide(): void {
  for (const note of notes.values()) if (note.unsaved) void note.flush(true);
}

function connected(connection: Connection): void {
  const was = desk.connection;
  desk.connection = connection;
  if (connection === "live" && was !== "live") {
    desk.back = desk.everLive;
    desk.everLive = true;
    callsChanged.value += 1;
    if (desk.back) setTimeout(() => (desk.back = false), BACK_SHOWN_MS);
  }
  if (connection === "signed_out") parts?.onSignedOut();
  share();
}

function share(): void {
  if (tabs?.leading) tabs.share({ state: state.value, connection: desk.connection });
}

function show(next: StreamState, leading: boolean): void {
  const before = cards.value;
  if (next.agent && next.agent !== state.value.agent) sit(next.agent);
  state.value = next;
  share();
  const gone = leaving(next);
  for (const departure of gone) depart(departure);
  desk.departures = desk.departures.filter((one) => next.pops[one.id] === undefined || isGone(one, gone));
  if (expected && cards.value.some((one) => one.id === expected)) {
    desk.selected = expected;
    expected = null;
  }
  desk.selected = choose(cards.value, desk.selected);
  attend(before, leading);
  if (endedNow(before)) callsChanged.value += 1;
  if (!leading) return;
  const old = surplus(cards.value).filter((one) => !notes.get(one.id)?.unsaved);
  for (const one of [...gone, ...old]) stream?.dismiss(one.id);
  for (const id of merged(state.value)) void dismissCard(id);
}

/** A supervisor may have given the seat to somebody else, or this agent sat down in another browser. */
function sit(now: AgentNow): void {
  const { extension, interface: device } = now;
  if (extension === (who.seat?.extension ?? null)) return;
  who.seat = extension && device ? { pbx: who.seat?.pbx ?? "", extension, interface: device } : null;
}

const isGone = (one: Departure, gone: Departure[]): boolean => gone.some((other) => other.id === one.id);

function depart(departure: Departure): void {
  const others = desk.departures.filter((one) => one.id !== departure.id);
  desk.departures = [...others, departure].slice(-DEPARTURES_KEPT);
}

/** Rings, and is known to be shown with its name: the pop is there. */
const pops = (one: Card): boolean => one.state === "ringing" && one.match !== null && one.direction !== "outbound";

function attend(before: Card[], leading: boolean): void {
  const known = new Set(before.filter(pops).map((one) => one.id));
  const ringing = cards.value.filter(pops);
  const fresh = ringing.find((one) => !known.has(one.id));
  if (fresh && leading) parts?.onRing(fresh, tabs?.seen ?? true);
  if (ringing.length === 0) parts?.onQuiet();
}

function endedNow(before: Card[]): boolean {
  const ended = new Set(cards.value.filter((one) => one.state === "ended").map((one) => one.id));
  const present = new Set(cards.value.map((one) => one.id));
  return before.some((one) => one.state !== "ended" && (ended.has(one.id) || !present.has(one.id)));
}

/** Take a card off the desk; its note is saved first. */
export async function dismissCard(callId: string): Promise<void> {
  await notes.get(callId)?.flush();
  if (notes.get(callId)?.unsaved) return;
  notes.delete(callId);
  if (tabs?.leading) stream?.dismiss(callId);
  else tabs?.dismiss(callId);
}

/** Close the line about a call that left. */
export function forget(callId: string): void {
  desk.departures = desk.departures.filter((one) => one.id !== callId);
}
