import { describe, expect, it } from "vitest";

import { cards, choose, leaving, merged, surplus, type Card } from "../src/desk/cards";
import { EMPTY, type ShownPop, type StreamState } from "../src/stream/state";
import type { LiveCall } from "../src/stream/messages";
import { liveCall, match, pop } from "./samples";

function stateOf(calls: LiveCall[], pops: Partial<ShownPop>[] = []): StreamState {
  return {
    ...EMPTY,
    calls: Object.fromEntries(calls.map((one) => [one.call_id, one])),
    pops: Object.fromEntries(pops.map((one) => [one.call_id ?? "a", { ...pop(), withdrawn: null, ...one }])),
  };
}

describe("a card", () => {
  it("joins the call and its pop", () => {
    const [card] = cards(stateOf([liveCall({ state: "talking" })], [{}]));
    expect(card).toMatchObject({
      state: "talking",
      number: "+15035550142",
      name: "M CHEN",
      did: "+15035550199",
      customerId: "c1",
    });
  });

  it("has no customer while several could be calling", () => {
    const [card] = cards(stateOf([liveCall()], [{ match: match("several", ["c1", "c2"]) }]));
    expect(card?.customerId).toBeNull();
  });

  it("believes the server's word on the customer before the match", () => {
    const [card] = cards(stateOf([liveCall({ customer: { id: "c9", name: "X" } })], [{}]));
    expect(card?.customerId).toBe("c9");
  });

  it("of a pop whose call is gone has ended", () => {
    expect(cards(stateOf([], [{}]))[0]?.state).toBe("ended");
  });

  it("has ended for this agent when the caller waits again", () => {
    const [card] = cards(stateOf([liveCall({ state: "queued" })], [{ withdrawn: "no_answer" }]));
    expect(card?.state).toBe("ended");
  });
});

describe("the order of cards", () => {
  it("puts what rings first and what ended last", () => {
    const all = cards(
      stateOf([
        liveCall({ call_id: "ended", state: "ended" }),
        liveCall({ call_id: "held", state: "held" }),
        liveCall({ call_id: "ringing" }),
      ]),
    );
    expect(all.map((one) => one.id)).toEqual(["ringing", "held", "ended"]);
  });
});

describe("leaving", () => {
  it("names calls that a colleague took", () => {
    const state = stateOf([liveCall()], [{ withdrawn: "answered_elsewhere" }]);
    expect(leaving(state)).toEqual([
      { id: "a", number: "+15035550142", name: "Customer c1", reason: "answered_elsewhere" },
    ]);
  });

  it("keeps what the agent talks in", () => {
    expect(leaving(stateOf([liveCall({ state: "talking" })], [{ withdrawn: "ended" }]))).toEqual([]);
    expect(leaving(stateOf([liveCall()], [{}]))).toEqual([]);
  });
});

describe("the chosen card", () => {
  const card = (id: string, state: Card["state"]): Card => cards(stateOf([liveCall({ call_id: id, state })]))[0]!;

  it("stays while its call goes on, whatever else rings", () => {
    expect(choose([card("new", "ringing"), card("mine", "talking")], "mine")).toBe("mine");
  });

  it("gives way to a live call once its own has ended", () => {
    expect(choose([card("new", "ringing"), card("mine", "ended")], "mine")).toBe("new");
  });

  it("is none where there is none", () => {
    expect(choose([], "mine")).toBeNull();
  });
});

it("keeps three ended calls for their notes", () => {
  const all = cards(
    stateOf([1, 2, 3, 4, 5].map((n) => liveCall({ call_id: `c${n}`, state: "ended", started_at: `2026-05-0${n}` }))),
  );
  expect(surplus(all).map((one) => one.id)).toEqual(["c1", "c2"]);
});

describe("a consultation", () => {
  const consulted = liveCall({ call_id: "b", direction: "internal", state: "ended", merged_into: "a" });

  it("leaves the desk once the customer's call is there, in whichever order the two come", () => {
    expect(merged(stateOf([consulted]))).toEqual([]);
    expect(merged(stateOf([consulted, liveCall({ state: "talking" })]))).toEqual(["b"]);
    expect(merged({ ...stateOf([consulted]), dismissed: ["a"] })).toEqual(["b"]);
  });

  it("stays where it became no other call, and so does a customer's call that was joined with another one", () => {
    expect(merged(stateOf([{ ...consulted, merged_into: null }, liveCall()]))).toEqual([]);
    expect(merged(stateOf([{ ...consulted, direction: "inbound" }, liveCall()]))).toEqual([]);
  });
});
