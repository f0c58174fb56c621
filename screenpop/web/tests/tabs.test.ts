import { afterEach, describe, expect, it, vi } from "vitest";

import { EMPTY, type StreamState } from "../src/stream/state";
import { Tabs, type Shared } from "../src/stream/tabs";

interface Held {
  ask(): void;
  done: boolean;
}

/** Web Locks of one origin: first come, first served. */
class Locks {
  private readonly queue: Held[] = [];

  request = ((_name: string, options: LockOptions, body: LockGrantedCallback<void>): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const held: Held = {
        done: false,
        ask: () => {
          void Promise.resolve(body(null)).then(() => {
            held.done = true;
            this.queue.shift();
            this.queue[0]?.ask();
            resolve();
          });
        },
      };
      this.queue.push(held);
      options.signal?.addEventListener("abort", () => {
        const at = this.queue.indexOf(held);
        if (at < 1) return;
        this.queue.splice(at, 1);
        reject(new DOMException("gone", "AbortError"));
      });
      if (this.queue.length === 1) held.ask();
    })) as LockManager["request"];
}

interface Window {
  tabs: Tabs;
  led: StreamState[];
  shared: Shared[];
  dismissed: string[];
}

const open: Tabs[] = [];
let names = 0;

function browser(): (locks?: Locks | null) => Window {
  const name = `desk-${(names += 1)}`;
  const own = new Locks();
  return (locks = own) => {
    const window: Omit<Window, "tabs"> = { led: [], shared: [], dismissed: [] };
    const tabs = new Tabs(name, {
      onLead: (known) => window.led.push(known),
      onShared: (shared) => window.shared.push(shared),
      onDismiss: (callId) => window.dismissed.push(callId),
      locks: locks ?? undefined,
    });
    open.push(tabs);
    tabs.join();
    return { tabs, ...window };
  };
}

const news: Shared = { state: { ...EMPTY, seq: 7 }, connection: "live" };

afterEach(() => {
  for (const tabs of open.splice(0).reverse()) tabs.leave();
});

describe("several windows", () => {
  it("have one leader, and the others hear what it tells", async () => {
    const window = browser();
    const [first, second] = [window(), window()];
    expect([first.led.length, second.led.length]).toEqual([1, 0]);
    first.tabs.share(news);
    await vi.waitFor(() => expect(second.shared.at(-1)).toEqual(news));
  });

  it("tell a new window what is known", async () => {
    const window = browser();
    window().tabs.share(news);
    const late = window();
    await vi.waitFor(() => expect(late.shared.at(-1)).toEqual(news));
  });

  it("go on from there when the leader leaves", async () => {
    const window = browser();
    const [first, second] = [window(), window()];
    first.tabs.share(news);
    await vi.waitFor(() => expect(second.shared).not.toEqual([]));
    first.tabs.leave();
    await vi.waitFor(() => expect(second.led).toEqual([news.state]));
  });

  it("pass on what a person closes elsewhere", async () => {
    const window = browser();
    const [first, second] = [window(), window()];
    second.tabs.dismiss("a");
    await vi.waitFor(() => expect(first.dismissed).toEqual(["a"]));
  });

  it("know whether any of them is seen", async () => {
    const window = browser();
    const [first, second] = [window(), window()];
    first.tabs.show(false);
    expect(first.tabs.seen).toBe(false);
    second.tabs.show(true);
    await vi.waitFor(() => expect(first.tabs.seen).toBe(true));
    second.tabs.leave();
    await vi.waitFor(() => expect(first.tabs.seen).toBe(false));
  });

  it("each lead where the browser has no locks", () => {
    const window = browser();
    expect([window(null).led.length, window(null).led.length]).toEqual([1, 1]);
  });
});
