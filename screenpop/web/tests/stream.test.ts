import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoff } from "../src/stream/backoff";
import { CLOSE, type Notice } from "../src/stream/messages";
import type { StreamState } from "../src/stream/state";
import { Stream, type Connection, type Socket } from "../src/stream/stream";
import { callMessage, liveCall, pop, popMessage, welcomeMessage } from "./samples";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  constructor(readonly url: string) {}
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
}

class Desk {
  readonly sockets: FakeSocket[] = [];
  readonly connections: Connection[] = [];
  readonly notices: Notice[] = [];
  state: StreamState | null = null;
  refuse: { status: number } | null = null;
  tickets = 0;
  readonly stream = new Stream({
    ticket: async () => {
      if (this.refuse) throw this.refuse;
      this.tickets += 1;
      return { ticket: `t${this.tickets}`, url: "ws://127.0.0.1/screenpop" };
    },
    open: (url) => {
      const socket = new FakeSocket(url);
      this.sockets.push(socket);
      return socket;
    },
    onState: (state) => (this.state = state),
    onConnection: (connection) => this.connections.push(connection),
    onNotice: (notice) => this.notices.push(notice),
    random: () => 1,
  });

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** Let the ticket arrive and the socket open. */
  async open(): Promise<FakeSocket> {
    await vi.advanceTimersByTimeAsync(0);
    this.socket.onopen?.();
    return this.socket;
  }

  async live(seq = 0, snapshot = {}): Promise<FakeSocket> {
    this.stream.start();
    const socket = await this.open();
    socket.say(welcomeMessage(seq, snapshot));
    return socket;
  }
}

let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  desk = new Desk();
});

afterEach(() => {
  desk.stream.stop();
  vi.useRealTimers();
});

describe("the first connection", () => {
  it("greets with a ticket and takes the snapshot", async () => {
    const socket = await desk.live(4, { calls: [liveCall()], pops: [pop()] });
    expect(socket.sent).toEqual([{ type: "hello", ticket: "t1" }]);
    expect(desk.connections).toEqual(["connecting", "live"]);
    expect(desk.state?.seq).toBe(4);
    expect(Object.keys(desk.state!.pops)).toEqual(["a"]);
  });

  it("is given up after a deadline without a welcome", async () => {
    desk.stream.start();
    await desk.open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.sockets[0]?.closed).toBe(true);
    expect(desk.connections.at(-1)).toBe("lost");
  });

  it("says so when the session is over, and does not try again", async () => {
    desk.refuse = { status: 401 };
    desk.stream.start();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(desk.connections).toEqual(["connecting", "signed_out"]);
  });

  it("is tried again when the server cannot be reached", async () => {
    desk.refuse = { status: 0 };
    desk.stream.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.connections).toEqual(["connecting", "lost"]);
    desk.refuse = null;
    await vi.advanceTimersByTimeAsync(500);
    expect(desk.sockets).toHaveLength(1);
  });
});

describe("after a loss", () => {
  it("comes back with a new ticket, where it was", async () => {
    const socket = await desk.live();
    socket.say(callMessage(1));
    socket.onclose?.({ code: 1006 });
    expect(desk.connections.at(-1)).toBe("lost");
    await vi.advanceTimersByTimeAsync(500);
    const next = await desk.open();
    expect(next.sent).toEqual([{ type: "hello", ticket: "t2", resume: { session: "s1", seq: 1 } }]);
    next.say(welcomeMessage(1, null));
    next.say(callMessage(2, { state: "talking" }));
    expect(desk.state?.calls["a"]?.state).toBe("talking");
    expect(desk.connections.at(-1)).toBe("live");
  });

  it("waits longer each time, and not at all once the network is back", async () => {
    const socket = await desk.live();
    socket.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(500);
    desk.socket.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(500);
    expect(desk.sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(500);
    expect(desk.sockets).toHaveLength(3);
    desk.socket.onclose?.({ code: 1006 });
    desk.stream.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.sockets).toHaveLength(4);
  });

  it("knows of a loss as soon as the browser does", async () => {
    const socket = await desk.live();
    desk.stream.lose();
    expect(socket.closed).toBe(true);
    expect(desk.connections.at(-1)).toBe("lost");
  });

  it("asks for a snapshot where a number is missing", async () => {
    const socket = await desk.live();
    socket.say(callMessage(3));
    expect(socket.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(500);
    const next = await desk.open();
    expect(next.sent[0]).not.toHaveProperty("resume");
  });

  it("asks for a snapshot where a message cannot be read", async () => {
    const socket = await desk.live();
    socket.say("{");
    await vi.advanceTimersByTimeAsync(500);
    expect((await desk.open()).sent[0]).not.toHaveProperty("resume");
  });

  it("does not fight with another window over one place", async () => {
    const socket = await desk.live();
    socket.onclose?.({ code: CLOSE.replaced });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(desk.sockets).toHaveLength(1);
    expect(desk.connections.at(-1)).toBe("replaced");
  });
});

describe("a pop", () => {
  it("is acknowledged when the agent is done with it, not before", async () => {
    const socket = await desk.live();
    socket.say(callMessage(1));
    socket.say(popMessage(2));
    expect(socket.sent).toHaveLength(1);
    desk.stream.dismiss("a");
    expect(socket.sent.at(-1)).toEqual({ type: "ack", seq: 2 });
    expect(desk.state?.pops).toEqual({});
  });

  it("that was withdrawn needs no acknowledgment", async () => {
    const socket = await desk.live();
    socket.say(popMessage(1));
    socket.say({ seq: 2, type: "pop_withdrawn", call_id: "a", reason: "answered_elsewhere" });
    desk.stream.dismiss("a");
    expect(socket.sent).toHaveLength(1);
  });

  it("closed while away is acknowledged on return", async () => {
    const socket = await desk.live();
    socket.say(popMessage(1));
    socket.onclose?.({ code: 1006 });
    desk.stream.dismiss("a");
    await vi.advanceTimersByTimeAsync(500);
    const next = await desk.open();
    next.say(welcomeMessage(1, null));
    expect(next.sent.at(-1)).toEqual({ type: "ack", seq: 1 });
  });

  it("closed while away is acknowledged by its number of the new session", async () => {
    const socket = await desk.live();
    socket.say(popMessage(1));
    socket.onclose?.({ code: 1006 });
    desk.stream.dismiss("a");
    await vi.advanceTimersByTimeAsync(500);
    const next = await desk.open();
    next.say(welcomeMessage(40, { pops: [pop({ seq: 33 })] }, "s2"));
    expect(next.sent.slice(1)).toEqual([{ type: "ack", seq: 33 }]);
  });
});

it("passes notices on", async () => {
  const socket = await desk.live();
  socket.say({ seq: 1, type: "notice", level: "warning", code: "pbx_down", text: "The PBX is away." });
  expect(desk.notices.map((one) => one.code)).toEqual(["pbx_down"]);
});

describe("back-off", () => {
  it("doubles to a limit and is spread by chance", () => {
    expect([0, 1, 2, 10, 1000].map((attempt) => backoff(attempt, () => 1))).toEqual([500, 1000, 2000, 20_000, 20_000]);
    expect(backoff(3, () => 0)).toBe(2000);
  });
});
