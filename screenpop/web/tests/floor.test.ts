import { describe, expect, it } from "vitest";

import { visible } from "../src/floor/rows";
import { type AgentRow, EMPTY, type Patch, type QueueRow, fresh, patch, queueOrder, share, worst } from "../src/floor/picture";

const LEVEL = { formula: "offered_less_short", threshold_s: 20, numerator: 8, denominator: 10 };

function queue(changes: Partial<QueueRow> = {}): QueueRow {
  const counts = { offered: 0, answered: 0, abandoned: 0, short_abandons: 0, refused: 0 };
  const members = { ready: 0, ringing: 0, busy: 0, paused: 0, offline: 0 };
  const limits = { most_waiting: null, longest_wait_s: null, least_level: null, least_ready: null, short_s: 5 };
  const row = { pbx: "pbx", name: "sales", strategy: "ringall", waiting: 0, oldest: null, level: LEVEL, alerts: [] };
  return { ...row, ...counts, ...members, limits, ...changes };
}

const change = (part: Partial<Patch>): Patch => ({ ...EMPTY(), ...part }) as Patch;

describe("a patch", () => {
  it("adds, changes and removes rows, and leaves the others as they are", () => {
    const tables = EMPTY();
    patch(tables, change({ queues: { "pbx/sales": queue(), "pbx/support": queue({ name: "support" }) } }));
    const sales = tables.queues["pbx/sales"];
    patch(tables, change({ queues: { "pbx/sales": { waiting: 3 }, "pbx/support": null } }));
    expect(tables.queues).toEqual({ "pbx/sales": queue({ waiting: 3 }) });
    expect(tables.queues["pbx/sales"]).toBe(sales);
  });

  it("never keeps the objects that came over the wire", () => {
    const tables = EMPTY();
    const row = { agent: "li" } as AgentRow;
    patch(tables, change({ agents: { li: row } }));
    patch(tables, change({ agents: { li: { name: "Li" } } }));
    expect(row).toEqual({ agent: "li" });
  });
});

describe("a queue", () => {
  it("has no share where nobody was offered", () => {
    expect(share(LEVEL)).toBe(0.8);
    expect(share({ ...LEVEL, denominator: 0 })).toBeNull();
  });

  it("comes first where a limit is passed", () => {
    const alert = { kind: "waiting" as const, value: 9, limit: 5 };
    const near = queue({ name: "a", alerts: [{ ...alert, severity: "near" }] });
    const over = queue({ name: "z", alerts: [{ ...alert, severity: "over" }] });
    const rows: [string, QueueRow][] = [["c", queue({ name: "c" })], ["a", near], ["z", over]];
    expect(rows.sort(queueOrder).map(([key]) => key)).toEqual(["z", "a", "c"]);
    expect([worst(over), worst(near, "waiting"), worst(near, "ready"), worst(queue())]).toEqual(["over", "near", null, null]);
  });
});

describe("alerts", () => {
  const of = (severity: "near" | "over") => {
    const tables = EMPTY();
    tables.queues["q"] = queue({ alerts: [{ kind: "waiting", severity, value: 1, limit: 1 }] });
    return tables;
  };

  it("are told when they are new or worse, not when they are the same or better", () => {
    const near = fresh(new Set(), of("near"));
    expect(near.added).toHaveLength(1);
    expect(fresh(near.all, of("near")).added).toHaveLength(0);
    const over = fresh(near.all, of("over"));
    expect(over.added).toHaveLength(1);
    expect(fresh(over.all, of("near")).added).toHaveLength(0);
    expect(fresh(over.all, EMPTY()).all.size).toBe(0);
  });
});

describe("a long table", () => {
  const inSight = (top: number, { first, end }: { first: number; end: number }): boolean =>
    first * 30 <= top && end * 30 >= Math.min(top + 600, 500 * 30);

  it("has all rows in sight drawn wherever it is scrolled, and few others", () => {
    for (let top = 0; top <= 500 * 30 - 600; top += 7) {
      const range = visible(top, 600, 30, 500);
      expect(inSight(top, range)).toBe(true);
      expect(range.end - range.first).toBeLessThanOrEqual(60);
    }
  });

  it("is drawn whole where it is short, and shows its end where it became shorter than it is scrolled", () => {
    expect(visible(0, 600, 30, 3)).toEqual({ first: 0, end: 3 });
    expect(visible(0, 600, 30, 0)).toEqual({ first: 0, end: 0 });
    const { first, end } = visible(9000, 600, 30, 12);
    expect([first, end]).toEqual([2, 12]);
  });
});
