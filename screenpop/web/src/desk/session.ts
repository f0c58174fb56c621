/** Who is logged in, and where they sit. */
import { reactive } from "vue";

import { session as http } from "../api/http";
import type { Seat, Session, User } from "../api/types";
import { currentSession, logIn as askLogIn, logOut as askLogOut } from "../api/verbs";

interface Who {
  user: User | null;
  seat: Seat | null;
  /** Whether the server was asked already. */
  asked: boolean;
}

export const who = reactive<Who>({ user: null, seat: null, asked: false });

/** Take over what the server says of who this is. */
export function become(session: Session | null): void {
  who.user = session?.user ?? null;
  who.seat = session?.extension ?? null;
  who.asked = true;
}

/** Ask the server who this is, once. Throws `Problem` when the server cannot be reached. */
export async function recall(): Promise<void> {
  if (who.asked) return;
  try {
    become(await currentSession());
  } catch (problem) {
    if ((problem as { status?: number }).status !== 401) throw problem;
    become(null);
  }
}

/** Log in; throws `Problem`. */
export async function logIn(login: string, password: string): Promise<void> {
  become(await askLogIn(login, password));
}

/** Log out here, whatever the server says. */
export async function logOut(): Promise<void> {
  try {
    await askLogOut();
  } finally {
    become(null);
  }
}

/** What to do when the server says that the session is over. */
export function onSessionOver(act: () => void): void {
  http.onOver = () => {
    become(null);
    act();
  };
}
