/** A call as lanes of stretches of time, to be drawn: who waited, what rang, who talked. */
import type { CallDetail } from "../api/calls";

export type LaneKind = "wait" | "ring" | "talk";

export interface Stretch {
  from: number;
  to: number;
  /** How it ended: a queue's exit or an offer's result; null for talks. */
  how: string | null;
}

export interface Lane {
  kind: LaneKind;
  /** The queue, or the agent, device or number. */
  name: string;
  stretches: Stretch[];
}

export interface Moment {
  at: number;
  kind: "blind" | "attended" | "blonde";
  by: string | null;
  to: string | null;
}

export interface Timeline {
  from: number;
  to: number;
  lanes: Lane[];
  moments: Moment[];
}

/** Lanes in the order in which they begin; what goes on still ends `now`. Times are milliseconds. */
export function timelineOf(call: CallDetail, now: number): Timeline {
  const from = Date.parse(call.started_at);
  const open = call.ended_at ? Date.parse(call.ended_at) : Math.max(now, from);
  const lanes = new Map<string, Lane>();
  let to = Math.max(open, from + 1);
  const add = (kind: LaneKind, name: string, began: string, ended: string | null, how: string | null): void => {
    const start = Math.max(Date.parse(began), from);
    const stop = Math.max(ended ? Date.parse(ended) : open, start);
    to = Math.max(to, stop);
    const key = `${kind}\n${name}`;
    const lane = lanes.get(key) ?? { kind, name, stretches: [] };
    lane.stretches.push({ from: start, to: stop, how });
    lanes.set(key, lane);
  };
  for (const visit of call.queue_visits) add("wait", visit.queue, visit.joined_at, visit.left_at, visit.exit);
  for (const offer of call.offers) add("ring", offer.agent ?? offer.interface, offer.rang_at, offer.ended_at, offer.result);
  for (const talk of call.connections) {
    add("talk", talk.agent ?? talk.number ?? talk.interface ?? "", talk.from, talk.to, null);
  }
  const order = [...lanes.values()].sort((a, b) => a.stretches[0]!.from - b.stretches[0]!.from);
  const moments = call.transfers.map((one) => ({ at: Date.parse(one.at), kind: one.kind, by: one.by, to: one.to }));
  return { from, to, lanes: order, moments };
}

/** Where a moment lies between the ends, in percent. */
export function placeOf(at: number, line: Timeline): number {
  return Math.min(100, Math.max(0, ((at - line.from) / (line.to - line.from)) * 100));
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];

/** Seconds after the start at which a line of the scale stands: at most six, in round numbers. */
export function ticksOf(line: Timeline): number[] {
  const seconds = (line.to - line.from) / 1_000;
  const step = STEPS_S.find((one) => seconds / one <= 6) ?? Math.ceil(seconds / 6 / 3_600) * 3_600;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => n * step);
}
