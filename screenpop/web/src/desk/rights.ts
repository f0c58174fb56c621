/** Who may open the pages that are not for everybody; the server refuses the rest by itself. */
import { who } from "./session";

const ROLES: Record<string, readonly string[]> = {
  floor: ["supervisor", "admin"],
  reports: ["supervisor", "admin"],
  wallboard: ["supervisor", "admin"],
  reconciliations: ["supervisor", "admin"],
  webhooks: ["admin"],
  users: ["admin"],
  sessions: ["admin"],
  keys: ["admin"],
  audit: ["admin"],
};

/** Whether the person who is logged in may open a page, by the name of its route. */
export function mayOpen(page: string): boolean {
  const roles = ROLES[page];
  return !roles || (who.user !== null && roles.includes(who.user.role));
}
