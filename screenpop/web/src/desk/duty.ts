/** What the agent does, as the header and the desk show it, and the verbs that change it. */
import { computed } from "vue";

import { beReady, extendWrapup, logIntoQueues, pause as askPause } from "../api/desk";
import type { AgentNow } from "../stream/messages";
import { tellProblem } from "../problems";
import { desk, state } from "./desk";
import { now } from "./now";

export const WRAPUP = "wrapup";
/** How much more time one press gives. */
export const MORE_S = 30;

export type Activity = AgentNow["state"] | "wrapup";

/** What an agent does: a wrap-up is a pause with a reason of its own. */
export function activityOf(agent: AgentNow | null): Activity {
  if (!agent) return "offline";
  return agent.state === "paused" && agent.reason === WRAPUP ? "wrapup" : agent.state;
}

export const activity = computed<Activity>(() =>
  desk.connection === "live" ? activityOf(state.value.agent) : "offline",
);

/** Seconds since `at`, by the server's clock. */
export const secondsSince = (at: string): number => (now.value - Date.parse(at)) / 1000;

/** Seconds that are left of a pause's time; negative when it is over, null where it has none. */
export const budgetLeft = computed<number | null>(() => {
  const agent = state.value.agent;
  if (activity.value !== "paused" || !agent?.budget_s || !agent.since) return null;
  return agent.budget_s - secondsSince(agent.since);
});

/** Seconds that are left to wrap up. */
export const wrapupLeft = computed<number | null>(() => {
  const until = state.value.agent?.until;
  return activity.value === "wrapup" && until ? Math.max(0, -secondsSince(until)) : null;
});

async function ask(work: Promise<unknown>): Promise<void> {
  await work.catch(tellProblem);
}

export const pause = (reason: string): Promise<void> => ask(askPause(reason));
export const ready = (): Promise<void> => ask(beReady());
export const moreTime = (): Promise<void> => ask(extendWrapup(MORE_S));
export const enterQueues = (loggedIn: boolean): Promise<void> => ask(logIntoQueues(loggedIn));
