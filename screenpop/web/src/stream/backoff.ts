/** How long to wait before the next attempt to connect. */

const FIRST_MS = 500;
const LONGEST_MS = 20_000;

/**
 * Milliseconds before attempt number `attempt` (0 is the first after a loss): doubling, and random between half and
 * whole, so that a floor of agents does not come back in one moment after a restart.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return whole * (0.5 + random() / 2);
}
