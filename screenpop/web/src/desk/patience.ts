/** The call log is written a moment after the stream tells of a call: what is about a call may have to wait for it. */
import { Problem } from "../api/http";

const PAUSES_MS = [400, 800, 1_600, 3_200];

/** Do `act`, again after a pause where the server does not know the call yet. Throws what the last try threw. */
export async function onceLogged<T>(act: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await act();
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 404) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return act();
}
