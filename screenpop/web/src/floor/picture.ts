/** The floor as the server tells it: tables of rows, whole at first and then by what changes. Pure. */

export type Severity = "near" | "over";
export type AlertKind = "waiting" | "longest_wait" | "service_level" | "ready";

export interface Alert {
  kind: AlertKind;
  severity: Severity;
  value: number;
  limit: number;
}

export interface Level {
  formula: string;
  threshold_s: number;
  numerator: number;
  denominator: number;
}

export interface Limits {
  most_waiting: number | null;
  longest_wait_s: number | null;
  /** Of 1. */
  least_level: number | null;
  least_ready: number | null;
  short_s: number;
}

export interface QueueRow {
  pbx: string;
  name: string;
  strategy: string;
  waiting: number;
  oldest: string | null;
  offered: number;
  answered: number;
  abandoned: number;
  short_abandons: number;
  refused: number;
  level: Level;
  ready: number;
  ringing: number;
  busy: number;
  paused: number;
  offline: number;
  limits: Limits;
  alerts: Alert[];
}

interface Customer {
  id: string;
  name: string;
}

export interface CallerRow {
  queue: string;
  place: number;
  since: string;
  number: string | null;
  name: string | null;
  customer: Customer | null;
  ringing: string[];
  next: string[];
  sure: boolean;
}

export interface MemberRow {
  queue: string;
  interface: string;
  device: string;
  name: string | null;
  agent: string | null;
  state: string;
  paused: boolean;
  reason: string | null;
  penalty: number;
  dynamic: boolean;
}

export interface WithWhom {
  call_id: string;
  state: "ringing" | "talking" | "held";
  direction: "inbound" | "outbound" | "internal";
  since: string;
  queue: string | null;
  number: string | null;
  name: string | null;
  customer: Customer | null;
}

export interface AgentRow {
  agent: string;
  name: string;
  state: string;
  since: string | null;
  reason: string | null;
  extension: string | null;
  call: WithWhom | null;
  answered: number;
  dialed: number;
  missed: number;
  connected_s: number;
  listeners: string[];
}

export interface Tables {
  queues: Record<string, QueueRow>;
  callers: Record<string, CallerRow>;
  members: Record<string, MemberRow>;
  agents: Record<string, AgentRow>;
}

export const TABLES = ["queues", "callers", "members", "agents"] as const;

/** By table and key: fields that changed, all fields of a new row, or null where the row is gone. */
export type Patch = { [table in keyof Tables]: Record<string, object | null> };

export type FloorMessage = ({ type: "floor"; n: number; at: string } & Tables) | ({ type: "floor_update"; n: number } & Patch);

export const EMPTY = (): Tables => ({ queues: {}, callers: {}, members: {}, agents: {} });

/** Change the tables as a patch says; `wrap` makes what is kept of a new row. */
export function patch(tables: Tables, change: Patch, wrap: <T extends object>(row: T) => T = (row) => row): void {
  for (const name of TABLES) {
    const rows = tables[name] as Record<string, object>;
    for (const [key, fields] of Object.entries(change[name])) {
      if (fields === null) delete rows[key];
      else if (rows[key]) Object.assign(rows[key], fields);
      else rows[key] = wrap({ ...fields });
    }
  }
}

/** The share of callers who were answered in time; null where there was nobody to count. */
export const share = (level: Level): number | null =>
  level.denominator > 0 ? level.numerator / level.denominator : null;

/** The worst alert of a queue, of one kind or of any. */
export function worst(row: QueueRow, kind?: AlertKind): Severity | null {
  const found = row.alerts.filter((one) => !kind || one.kind === kind).map((one) => one.severity);
  return found.includes("over") ? "over" : found.includes("near") ? "near" : null;
}

/** One for all: `localeCompare` makes itself one for each two names. */
const names = new Intl.Collator();

/** Queues in trouble first, then those in which somebody waits, then by name. */
export function queueOrder(one: [string, QueueRow], other: [string, QueueRow]): number {
  const rank = ([, row]: [string, QueueRow]): number => ({ over: 0, near: 1, none: 2 })[worst(row) ?? "none"];
  return rank(one) - rank(other) || names.compare(one[1].name, other[1].name) || names.compare(one[0], other[0]);
}

const STATES = ["talking", "ringing", "busy", "wrapup", "ready", "paused", "offline"];

/** Who is at work first, by state and then by name. */
export function agentOrder(one: AgentRow, other: AgentRow): number {
  const rank = (row: AgentRow): number => STATES.indexOf(row.state);
  return rank(one) - rank(other) || names.compare(one.name, other.name);
}

/** What is told of alerts that were not there, or are worse than they were: keys `queue kind severity`. */
export function fresh(before: ReadonlySet<string>, tables: Tables): { all: Set<string>; added: string[] } {
  const all = new Set<string>();
  for (const [key, row] of Object.entries(tables.queues)) {
    for (const alert of row.alerts) all.add(`${key}\n${alert.kind}\n${alert.severity}`);
  }
  const eased = (key: string): boolean => key.endsWith("near") && before.has(key.replace(/near$/, "over"));
  return { all, added: [...all].filter((key) => !before.has(key) && !eased(key)) };
}
