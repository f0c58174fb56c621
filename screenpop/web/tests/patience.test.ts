import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Problem } from "../src/api/http";
import { onceLogged } from "../src/desk/patience";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("waits for a call that is not in the log yet", async () => {
  const act = vi.fn().mockRejectedValueOnce(new Problem(404, "no")).mockResolvedValueOnce("done");
  const result = onceLogged(act);
  await vi.advanceTimersByTimeAsync(400);
  expect(await result).toBe("done");
});

it("gives up in the end", async () => {
  const act = vi.fn().mockRejectedValue(new Problem(404, "no"));
  const result = expect(onceLogged(act)).rejects.toMatchObject({ status: 404 });
  await vi.advanceTimersByTimeAsync(10_000);
  await result;
  expect(act).toHaveBeenCalledTimes(5);
});

it("does not wait for anything else", async () => {
  const act = vi.fn().mockRejectedValue(new Problem(503, "no"));
  await expect(onceLogged(act)).rejects.toMatchObject({ status: 503 });
  expect(act).toHaveBeenCalledOnce();
});
