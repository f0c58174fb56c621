import { expect, it } from "vitest";

import type { CallRecord } from "../src/api/types";
import { resultOf } from "../src/desk/results";
import { record } from "./samples";

const rang = [{ agent: "li", result: "no_answer", queue: "sales" }];
const talked = (agent: string): CallRecord["connections"] => [{ agent, from: "2026-05-01T09:00:00Z", to: null }];

it.each<[string, Partial<CallRecord>, string]>([
  ["mine", { connections: talked("li") }, "answered"],
  ["a colleague's, though it rang here", { offers: rang, connections: talked("mei") }, "colleague"],
  ["answered by nobody", { status: "no_answer", offers: rang }, "missed"],
  ["abandoned while it rang here", { status: "abandoned", offers: rang }, "missed"],
  ["abandoned in the queue", { status: "abandoned" }, "abandoned"],
  ["dialed and answered", { direction: "outbound", connections: talked("li") }, "answered"],
  ["dialed in vain", { direction: "outbound", status: "busy" }, "busy"],
  ["going on", { status: "in_progress" }, "in_progress"],
  ["left to the voicemail", { status: "voicemail", offers: rang }, "voicemail"],
])("a call that is %s", (_, changes, result) => {
  expect(resultOf(record(changes), "li")).toBe(result);
});
