import { describe, expect, it } from "vitest";

import type { Numbered } from "../src/stream/messages";
import { EMPTY, apply, dismiss, welcome, type StreamState } from "../src/stream/state";
import { callMessage, liveCall, match, pop, popMessage, welcomeMessage } from "./samples";

function applyAll(start: StreamState, messages: Numbered[]): StreamState {
  return messages.reduce((state, message) => {
    const result = apply(state, message);
    if (result.kind === "gap") throw new Error(`gap at ${message.seq}`);
    return result.state;
  }, start);
}

const fresh = welcome(EMPTY, welcomeMessage(0, {}));

describe("numbered messages", () => {
  it("take effect in order", () => {
    const state = applyAll(fresh, [callMessage(1), popMessage(2), callMessage(3, { state: "talking" })]);
    expect(state.seq).toBe(3);
    expect(state.calls["a"]?.state).toBe("talking");
    expect(state.pops["a"]?.match.candidates[0]?.customer_id).toBe("c1");
  });

  it("count once when they come twice", () => {
    const state = applyAll(fresh, [callMessage(1)]);
    const again = apply(state, callMessage(1, { state: "held" }));
    expect(again).toEqual({ kind: "stale", state });
  });

  it("show a gap instead of guessing", () => {
    expect(apply(fresh, callMessage(2)).kind).toBe("gap");
  });

  it("of unknown kinds move the number on and change nothing else", () => {
    const unknown = { seq: 1, type: "lead", lead: {} } as unknown as Numbered;
    expect(apply(fresh, unknown)).toEqual({ kind: "applied", state: { ...fresh, seq: 1 } });
  });

  it("of a merged call that is not shown change nothing", () => {
    const after = applyAll(fresh, [callMessage(1), callMessage(2, { call_id: "b", state: "ended", merged_into: "a" })]);
    expect(Object.keys(after.calls)).toEqual(["a"]);
  });

  it("bring a match up to date", () => {
    const state = applyAll(fresh, [
      popMessage(1, { match: match("incomplete", []) }),
      { seq: 2, type: "pop_update", call_id: "a", match: match("several", ["c1", "c2"]) },
    ]);
    expect(state.pops["a"]?.match.status).toBe("several");
  });

  it("leave the states of other agents out", () => {
    const me = { agent: "li", name: null, state: "ready", extension: null, interface: null, since: null } as const;
    const state = welcome(EMPTY, welcomeMessage(0, { agent: me }));
    const after = applyAll(state, [{ ...me, agent: "mei", state: "busy", seq: 1, type: "agent" }]);
    expect(after.agent?.agent).toBe("li");
  });
});

describe("snapshot and events", () => {
  const live: Numbered[] = [
    callMessage(1),
    popMessage(2),
    { seq: 3, type: "pop_update", call_id: "a", match: match("several", ["c1", "c2"]) },
    callMessage(4, { state: "talking", answered_at: "2026-05-01T09:00:09Z" }),
    callMessage(5, { call_id: "b" }),
    popMessage(6, { call_id: "b" }),
    callMessage(7, { state: "held", answered_at: "2026-05-01T09:00:09Z" }),
  ];

  it("give the same at whichever event the snapshot is taken", () => {
    const whole = applyAll(fresh, live);
    for (let at = 0; at <= live.length; at += 1) {
      const before = applyAll(fresh, live.slice(0, at));
      // What a server would say at this moment: what is known, as it was sent.
      const snapshot = {
        calls: Object.values(before.calls),
        pops: Object.values(before.pops).map(({ withdrawn: _, ...one }) => one),
      };
      const anew = welcome(EMPTY, welcomeMessage(at, snapshot));
      expect(applyAll(anew, live.slice(at))).toEqual(whole);
    }
  });

  it("keep a call that ended while the page was away, for its note", () => {
    const before = applyAll(fresh, [callMessage(1, { state: "talking" })]);
    const after = welcome(before, welcomeMessage(9, {}, "s2"));
    expect(after.calls["a"]?.state).toBe("ended");
    expect(after.seq).toBe(9);
  });

  it("go on where they were when the stream resumes", () => {
    const before = applyAll(fresh, [callMessage(1), popMessage(2)]);
    expect(welcome(before, welcomeMessage(2, null))).toEqual(before);
  });
});

describe("a dismissed call", () => {
  const gone = dismiss(applyAll(fresh, [callMessage(1), popMessage(2)]), "a");

  it("stays away, whatever is told of it", () => {
    const state = applyAll(gone, [callMessage(3, { state: "ended" })]);
    expect(state.calls).toEqual({});
  });

  it("stays away after a new snapshot that still has it", () => {
    const state = welcome(gone, welcomeMessage(9, { calls: [liveCall()], pops: [pop()] }, "s2"));
    expect([state.calls, state.pops]).toEqual([{}, {}]);
  });

  it("comes back when it rings again", () => {
    const state = applyAll(gone, [popMessage(3), callMessage(4)]);
    expect(state.calls["a"]?.state).toBe("ringing");
  });
});
