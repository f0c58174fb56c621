import { describe, expect, it, vi } from "vitest";

import type { PhoneCredential } from "../src/api/phone";
import { Credential } from "../src/phone/credential";
import { qualityBetween, sampleOf, type Sample } from "../src/phone/quality";
import { NO_PHONE, apply, currentCall, heldFor, verbs, waitingCall, type PhoneCall, type PhoneEvent } from "../src/phone/state";
import { recalled, replaces, written, type Dialog } from "../src/phone/takeup";
import { cardOf } from "../src/phone/title";
import { cards } from "../src/desk/cards";
import { EMPTY } from "../src/stream/state";
import { liveCall } from "./samples";

const call = (id: string, change: Partial<PhoneCall> = {}): PhoneCall => ({
  id, incoming: true, state: "ringing", number: "1002", name: null, muted: false, answeredAt: null, consultsFor: null,
  transferring: false, ...change,
});
const after = (...events: PhoneEvent[]) => events.reduce(apply, NO_PHONE);

describe("the phone's state", () => {
  it("offers what makes sense and nothing else", () => {
    expect([...verbs(NO_PHONE)]).toEqual([]);
    const rings = after({ type: "call", call: call("a") });
    expect([...verbs(rings)].sort()).toEqual(["answer", "hangUp"]);
    const talks = apply(rings, { type: "changed", id: "a", change: { state: "talking", answeredAt: 1 } });
    expect([...verbs(talks)].sort()).toEqual(["hangUp", "hold", "keys", "mute", "transfer"]);
    const held = apply(talks, { type: "changed", id: "a", change: { state: "held" } });
    expect([...verbs(held)].sort()).toEqual(["hangUp", "resume"]);
  });

  it("joins only after the one who is asked has answered", () => {
    const asks = after(
      { type: "call", call: call("a", { state: "held" }) },
      { type: "call", call: call("b", { state: "dialing", consultsFor: "a", incoming: false }) },
    );
    expect(currentCall(asks)?.id).toBe("b");
    expect(verbs(asks).has("join")).toBe(false);
    const answered = apply(asks, { type: "changed", id: "b", change: { state: "talking" } });
    expect(verbs(answered).has("join")).toBe(true);
    expect(verbs(answered).has("transfer")).toBe(false);
    expect(heldFor(answered, currentCall(answered)!)?.id).toBe("a");
  });

  it("makes an ordinary call of what is left when the one who waited is gone", () => {
    const left = after(
      { type: "call", call: call("a", { state: "held" }) },
      { type: "call", call: call("b", { state: "talking", consultsFor: "a" }) },
      { type: "gone", id: "a" },
    );
    expect(left.calls.map((one) => one.consultsFor)).toEqual([null]);
    expect(verbs(left).has("join")).toBe(false);
    expect(verbs(left).has("transfer")).toBe(true);
  });

  it("keeps a second caller apart from the one who is talked with", () => {
    const two = after({ type: "call", call: call("a", { state: "talking" }) }, { type: "call", call: call("b") });
    expect(currentCall(two)?.id).toBe("a");
    expect(waitingCall(two)?.id).toBe("b");
    expect(verbs(two).has("answer")).toBe(true);
  });

  it("is not changed by what concerns a call that is not there", () => {
    const one = after({ type: "call", call: call("a") });
    expect(apply(one, { type: "changed", id: "x", change: { muted: true } })).toEqual(one);
    expect(apply(one, { type: "gone", id: "x" })).toEqual(one);
  });

  it("forgets how good the line was with the last call", () => {
    const quality = { grade: "good" as const, lossPercent: 0, jitterMs: 1, roundTripMs: 2 };
    const talks = after({ type: "call", call: call("a", { state: "talking" }) }, { type: "quality", quality });
    expect(talks.quality?.grade).toBe("good");
    expect(apply(talks, { type: "gone", id: "a" }).quality).toBeNull();
  });
});

describe("the quality of the line", () => {
  const sample = (change: Partial<Sample>): Sample => ({ received: 0, sent: 0, lost: 0, jitterMs: 2, roundTripMs: 20, ...change });
  it.each([
    ["all came", { received: 100 }, "good"],
    ["one in fifty was lost", { received: 98, lost: 2 }, "fair"],
    ["one in ten was lost", { received: 90, lost: 10 }, "bad"],
    ["nothing came", {}, "bad"],
    ["packets came unevenly", { received: 100, jitterMs: 40 }, "fair"],
    ["the way is long", { received: 100, roundTripMs: 800 }, "bad"],
    ["the other side has not reported", { received: 100, roundTripMs: null }, "good"],
    ["late packets came after all", { received: 100, lost: -3 }, "good"],
  ])("when %s", (_what, now, grade) => {
    expect(qualityBetween(sample({}), sample(now)).grade).toBe(grade);
  });

  it("is read from the browser's report", () => {
    expect(
      sampleOf([
        { type: "inbound-rtp", kind: "audio", packetsReceived: 50, packetsLost: 1, jitter: 0.004 },
        { type: "outbound-rtp", kind: "audio", packetsSent: 49 },
        { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.03 },
        { type: "inbound-rtp", kind: "video", packetsReceived: 7 },
      ]),
    ).toEqual({ received: 50, sent: 49, lost: 1, jitterMs: 4, roundTripMs: 30 });
  });
});

describe("a call that outlives its page", () => {
  const dialog: Dialog = {
    callId: "8f2a@127.0.0.1", remoteTag: "as-1", localTag: "js-2", number: "+44", name: null, incoming: true,
    answeredAt: 1, aliveAt: 100_000,
  };
  it("is taken up while Asterisk still has it", () => {
    expect(recalled(written(dialog), 110_000)).toEqual(dialog);
    expect(replaces(dialog)).toBe("Replaces: 8f2a@127.0.0.1;to-tag=as-1;from-tag=js-2");
  });
  it.each([
    ["it is too old", written(dialog), 131_000],
    ["it is of the future", written(dialog), 99_000],
    ["there is none", null, 100_000],
    ["it cannot be read", "{", 100_000],
    ["it is something else", "null", 100_000],
    ["it would break out of its header", written({ ...dialog, callId: "x\r\nVia: y" }), 100_000],
    ["it has a parameter more", written({ ...dialog, localTag: "a;early-only" }), 100_000],
  ])("is left alone when %s", (_what, text, now) => {
    expect(recalled(text, now)).toBeNull();
  });
});

describe("the password", () => {
  const given = (seconds: number): PhoneCredential => ({
    pbx: "pbx", extension: "1011", name: null, url: "wss://x/ws", realm: "callcenter", password: "p",
    expires_at: new Date(Date.now() + seconds * 1000).toISOString(), ice_servers: [],
  });

  it("is renewed before it is over", async () => {
    vi.useFakeTimers();
    const got: string[] = [];
    const ask = vi.fn(async () => given(600));
    const keeper = new Credential({ ask, onCredential: (one) => got.push(one.password), onRefused: () => got.push("refused") });
    await keeper.start();
    await vi.advanceTimersByTimeAsync(359_000);
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ask).toHaveBeenCalledTimes(2);
    keeper.stop();
    await vi.advanceTimersByTimeAsync(900_000);
    expect(ask).toHaveBeenCalledTimes(2);
    expect(got).toEqual(["p", "p"]);
    vi.useRealTimers();
  });

  it.each([
    [409, "elsewhere", 1],
    [404, "refused", 1],
    [401, "refused", 1],
    [502, undefined, 3],
  ])("answered with %i", async (status, reason, asked) => {
    vi.useFakeTimers();
    const told: string[] = [];
    const ask = vi.fn(async () => Promise.reject(Object.assign(new Error(), { status })));
    const keeper = new Credential({ ask, onCredential: () => undefined, onRefused: (one) => told.push(one) });
    await keeper.start();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(ask).toHaveBeenCalledTimes(asked);
    expect(told[0]).toBe(reason);
    keeper.stop();
    vi.useRealTimers();
  });
});

describe("whom a phone's call is with", () => {
  const desk = (...calls: Parameters<typeof liveCall>[0][]) =>
    cards({ ...EMPTY, calls: Object.fromEntries(calls.map((one, n) => [String(n), liveCall({ call_id: String(n), ...one })])) });

  it("is the card with its number", () => {
    const shown = desk({ number: "1012", direction: "internal" }, { number: "+15035550142", state: "held" });
    const calls = [call("a", { number: "+15035550142" }), call("b", { number: "1012" })];
    expect(calls.map((one) => cardOf(one, calls, shown)?.number)).toEqual(["+15035550142", "1012"]);
  });

  it("is the only card that lives, where the phone knows but who handed the call on", () => {
    const shown = desk({ number: "+15035550142", state: "talking" }, { number: "1011", state: "ended" });
    expect(cardOf(call("a", { number: "1011" }), [call("a")], shown)?.number).toBe("+15035550142");
  });

  it("is not guessed where there are several", () => {
    const shown = desk({ number: "+15035550142" }, { number: "+15035550143" });
    expect(cardOf(call("a", { number: "7" }), [call("a")], shown)).toBeNull();
    expect(cardOf(call("a", { number: "7" }), [call("a"), call("b")], desk({}))).toBeNull();
  });
});
