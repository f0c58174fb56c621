import { expect, it } from "vitest";

import type { CallDetail } from "../src/api/calls";
import { placeOf, ticksOf, timelineOf } from "../src/calls/timeline";
import { wishOf } from "../src/calls/wish";
import { record } from "./samples";

const at = (seconds: number): string => new Date(Date.UTC(2026, 4, 1, 9) + seconds * 1_000).toISOString();

function detail(changes: Partial<CallDetail> = {}): CallDetail {
  return {
    ...record({ started_at: at(0), ended_at: at(60) }),
    offers: [],
    connections: [],
    queue_visits: [],
    transfers: [],
    wait_s: null,
    ring_s: null,
    hold_s: null,
    wrapup_s: null,
    hangup_by: null,
    complete: true,
    source: "live",
    pbx: "pbx",
    tags: [],
    ...changes,
  };
}

it("draws a lane for each queue, phone and person, in the order in which they began", () => {
  const line = timelineOf(
    detail({
      queue_visits: [{ queue: "sales", joined_at: at(1), left_at: at(12), exit: "answered", wait_s: 11 }],
      offers: [
        { agent: "li", interface: "PJSIP/1001", queue: "sales", rang_at: at(2), ended_at: at(6), result: "no_answer" },
        { agent: null, interface: "PJSIP/1002", queue: "sales", rang_at: at(7), ended_at: at(12), result: "answered" },
        { agent: "li", interface: "PJSIP/1001", queue: "sales", rang_at: at(8), ended_at: at(12), result: "answered_elsewhere" },
      ],
      connections: [{ agent: null, interface: "PJSIP/1002", number: "1002", from: at(12), to: at(60) }],
    }),
    0,
  );
  expect(line.lanes.map((lane) => [lane.kind, lane.name, lane.stretches.length])).toEqual([
    ["wait", "sales", 1],
    ["ring", "li", 2],
    ["ring", "PJSIP/1002", 1],
    ["talk", "1002", 1],
  ]);
  expect(placeOf(Date.parse(at(30)), line)).toBe(50);
});

it("lets what goes on still end now, and never runs backwards", () => {
  const now = Date.parse(at(30));
  const line = timelineOf(
    detail({ ended_at: null, connections: [{ agent: "li", interface: null, number: null, from: at(10), to: null }] }),
    now,
  );
  expect(line.to).toBe(now);
  expect(line.lanes[0]!.stretches[0]).toEqual({ from: Date.parse(at(10)), to: now, how: null });
  const odd = timelineOf(
    detail({ offers: [{ agent: "li", interface: "x", queue: null, rang_at: at(9), ended_at: at(5), result: null }] }),
    now,
  );
  expect(odd.lanes[0]!.stretches[0]).toEqual({ from: Date.parse(at(9)), to: Date.parse(at(9)), how: null });
});

it.each([
  [3, [0, 1, 2, 3]],
  [60, [0, 10, 20, 30, 40, 50, 60]],
  [4_000, [0, 1_800, 3_600]],
  [100_000, [0, 18_000, 36_000, 54_000, 72_000, 90_000]],
])("a scale over %i seconds has few round steps", (seconds, steps) => {
  expect(ticksOf(timelineOf(detail({ ended_at: at(seconds) }), 0))).toEqual(steps);
});

it("takes only filters of the log from an address", () => {
  expect(wishOf({ queue: "sales", call: "1", other: "x", status: "", agent: ["a", "b"], text: "x".repeat(201) })).toEqual({
    queue: "sales",
  });
});
