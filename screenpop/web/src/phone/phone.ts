/** The agent's phone, wherever it is: in this browser, in another window of it, or on the desk. */
import { computed, reactive, watch } from "vue";

import { dialableAs, listParked, parkCall, phoneNow, returnCredential } from "../api/phone";
import { cancelTransfer, fetchCall, transferCall, type ParkedCall, type PhoneKind } from "../api/phone";
import { card } from "../desk/desk";
import { hangUp as hangUpCall, onDialed } from "../desk/dial";
import { who } from "../desk/session";
import { i18n } from "../i18n";
import { tell, tellHint, tellProblem } from "../problems";
import { RingTone } from "./audio";
import { Credential } from "./credential";
import { PhoneLead, type Wish } from "./lead";
import type { SipPhone } from "./sip";
import { NO_PHONE, apply, currentCall, heldFor, verbs, waitingCall, type PhoneEvent, type PhoneState } from "./state";
import { recalled, written, type Dialog } from "./takeup";

interface Phone {
  kind: PhoneKind;
  state: PhoneState;
  parked: ParkedCall[];
}

/** Who asked for a call hears it at once: the browser answers what the PBX rings for it. */
const OWN_CALL_MS = 20_000;

export const phone = reactive<Phone>({ kind: "none", state: NO_PHONE, parked: [] });
export const current = computed(() => currentCall(phone.state));
export const waiting = computed(() => waitingCall(phone.state));
export const asked = computed(() => (current.value ? heldFor(phone.state, current.value) : null));
export const able = computed(() => verbs(phone.state));

const ring = new RingTone();
let lead: PhoneLead | null = null;
let sip: SipPhone | null = null;
let credential: Credential | null = null;
let login = "";
let ownCallUntil = 0;
let unwatch: (() => void) | null = null;

/** Have a phone for as long as `closePhone` is not called: the one of the seat that the agent chose. */
export function openPhone(name: string): void {
  login = name;
  onDialed(() => wish("expect"));
  unwatch = watch(() => who.seat?.interface, reseat, { immediate: true });
}

/** Hang up, unregister, and give the password back. */
export function closePhone(): void {
  unwatch?.();
  unwatch = null;
  onDialed(null);
  shut(true);
  phone.kind = "none";
  phone.parked = [];
}

async function reseat(): Promise<void> {
  shut(true);
  phone.kind = "none";
  phone.parked = [];
  if (!who.seat) return;
  try {
    phone.kind = (await phoneNow()).kind;
  } catch (problem) {
    tellProblem(problem);
    return;
  }
  if (phone.kind === "browser") {
    lead = new PhoneLead(`callcenter-phone:${login}`, {
      locks: navigator.locks as LockManager | undefined,
      onLead: () => {
        // What the window before told was its own: its calls are taken up, not had.
        phone.state = NO_PHONE;
        begin(false);
      },
      onState: (state) => (phone.state = state),
      onWish: (one) => void grant(one),
    });
    lead.join();
    window.addEventListener("pagehide", leavePage);
  } else {
    await readParked();
  }
}

/** Use the phone in this browser, though it is open in another one. */
export function takePhoneOver(): void {
  wish("takeOver");
}

function begin(takeOver: boolean): void {
  credential?.stop();
  emit({ type: "registration", registration: "connecting" });
  credential = new Credential({
    onCredential: (given) => void connect(given),
    onRefused: (reason) => {
      sip?.close(false);
      sip = null;
      emit({ type: "registration", registration: reason });
    },
  });
  void credential.start(takeOver);
}

async function connect(given: Parameters<NonNullable<ConstructorParameters<typeof Credential>[0]["onCredential"]>>[0]) {
  if (sip) {
    sip.renew(given.password);
    if (phone.state.registration !== "registered") sip.register();
    return;
  }
  const { SipPhone: Sip } = await import("./sip");
  if (!lead?.leading || sip) return;
  sip = new Sip(given, {
    emit,
    onDialog: keep,
    onTrouble: (what) => tellHint(i18n.global.t(`phone.trouble.${what}`)),
    onRefused: () => {
      emit({ type: "registration", registration: "connecting" });
      credential?.refused();
    },
  });
}

function shut(hangUp: boolean): void {
  window.removeEventListener("pagehide", leavePage);
  credential?.stop();
  if (sip && hangUp) void returnCredential().catch(() => undefined);
  sip?.close(hangUp);
  lead?.leave();
  ring.stop();
  credential = sip = lead = null;
  phone.state = NO_PHONE;
}

/** The page goes, the call may stay: the next page takes it up. */
function leavePage(): void {
  sip?.close(false);
}

function emit(event: PhoneEvent): void {
  const before = phone.state;
  phone.state = apply(before, event);
  lead?.share(JSON.parse(JSON.stringify(phone.state)) as PhoneState);
  if (event.type === "registration" && event.registration === "registered") takeUp();
  if (event.type === "call" && event.call.state === "ringing") rung(event.call.id, event.call.number);
  if (phone.state.calls.some((one) => one.state === "ringing")) ring.start();
  else ring.stop();
}

function rung(id: string, number: string): void {
  if (number !== who.seat?.extension || Date.now() > ownCallUntil) return;
  ownCallUntil = 0;
  void sip?.answer(id);
}

const store = (): string => `callcenter.phone.call:${login}`;

function keep(id: string, dialog: Dialog | null): void {
  if (dialog) localStorage.setItem(store(), written(dialog));
  // Of two calls the one that ended must not take the other's place with it.
  else if (phone.state.calls.every((one) => one.id === id)) localStorage.removeItem(store());
}

/** A page before this one had a call, and did not end it. */
function takeUp(): void {
  if (phone.state.calls.length > 0) return;
  const dialog = recalled(localStorage.getItem(store()), Date.now());
  localStorage.removeItem(store());
  if (dialog && who.seat) void sip?.call(who.seat.extension, null, dialog);
}

/** Do something with the phone in the browser, whichever window has it. */
export function wish(verb: string, text?: string): void {
  const one: Wish = text === undefined ? { verb } : { verb, text };
  lead?.wish(one);
}

async function grant({ verb, text = "" }: Wish): Promise<void> {
  const call = currentCall(phone.state);
  const rings = waitingCall(phone.state) ?? call;
  if (verb === "takeOver") begin(true);
  else if (verb === "expect") ownCallUntil = Date.now() + OWN_CALL_MS;
  if (!call || !sip) return;
  if (verb === "answer" && rings?.state === "ringing") await sip.answer(rings.id);
  else if (verb === "reject" && rings?.state === "ringing") sip.hangUp(rings.id);
  else if (verb === "hangUp") sip.hangUp(call.id);
  else if (verb === "hold") sip.hold(call.id);
  else if (verb === "resume") await sip.resume(text || call.id);
  else if (verb === "mute") sip.mute(call.id, !call.muted);
  else if (verb === "keys") sip.press(call.id, text);
  else if (verb === "blind") sip.transfer(call.id, text);
  else if (verb === "consult") await sip.call(text, call.id);
  else if (verb === "join" && call.consultsFor) sip.join(call.consultsFor, call.id);
}

/** Hand the call on: at once, or after talking with the target. */
export async function transfer(number: string, attended: boolean): Promise<boolean> {
  try {
    if (phone.kind === "browser") {
      const { dial } = await dialableAs(number);
      wish(attended ? "consult" : "blind", dial);
    } else if (card.value) {
      await transferCall(card.value.id, number, attended ? "attended" : "blind");
      if (attended) tell(i18n.global.t("phone.consulting"));
    }
    return true;
  } catch (problem) {
    tellProblem(problem);
    return false;
  }
}

/** Give the consultation up, and go back to who waits. */
export async function takeBack(): Promise<void> {
  const waits = asked.value;
  if (phone.kind === "browser") {
    if (!waits) return;
    wish("hangUp");
    wish("resume", waits.id);
  } else if (card.value) await order(cancelTransfer(card.value.id));
}

export async function park(): Promise<void> {
  if (card.value) await order(parkCall(card.value.id));
}

export async function fetch(callId: string): Promise<void> {
  wish("expect");
  await order(fetchCall(callId));
}

export function hangUp(): void {
  if (phone.kind === "browser" && current.value) wish("hangUp");
  else if (card.value) void hangUpCall(card.value.id);
}

/** Who is parked: read when something was parked or fetched, and when a call changed. */
export async function readParked(): Promise<void> {
  if (!who.seat) return;
  phone.parked = await listParked().then(
    ({ items }) => items,
    () => phone.parked,
  );
}

async function order(asking: Promise<unknown>): Promise<void> {
  try {
    await asking;
  } catch (problem) {
    tellProblem(problem);
  }
  await readParked();
}
