/** How good the line is, from what the browser counts (RFC 3550's loss and jitter, and the time to and fro). Pure. */

export type Grade = "good" | "fair" | "bad";

export interface Quality {
  grade: Grade;
  /** Of the packets of the last moment that should have come, how many did not; 0 to 100. */
  lossPercent: number;
  jitterMs: number;
  /** Null where the other side has not reported yet. */
  roundTripMs: number | null;
}

/** Counters since the start of the call. */
export interface Sample {
  received: number;
  sent: number;
  lost: number;
  jitterMs: number;
  roundTripMs: number | null;
}

/** The part of a browser's statistics that is used. */
export interface Report {
  type: string;
  kind?: string;
  packetsReceived?: number;
  packetsSent?: number;
  packetsLost?: number;
  jitter?: number;
  roundTripTime?: number;
  state?: string;
  nominated?: boolean;
  currentRoundTripTime?: number;
}

/**
 * From which on people notice (fair), and from which on they do not understand each other (bad): ITU-T G.114 for the time,
 * and for loss what Opus and G.711 with concealment still cover.
 */
const FAIR = { lossPercent: 2, jitterMs: 30, roundTripMs: 300 };
const BAD = { lossPercent: 8, jitterMs: 80, roundTripMs: 700 };

/** Read the counters out of a browser's report. */
export function sampleOf(reports: Iterable<Report>): Sample {
  const sample: Sample = { received: 0, sent: 0, lost: 0, jitterMs: 0, roundTripMs: null };
  let path: number | null = null;
  for (const one of reports) {
    if (one.type === "inbound-rtp" && one.kind === "audio") {
      sample.received += one.packetsReceived ?? 0;
      sample.lost += one.packetsLost ?? 0;
      sample.jitterMs = Math.max(sample.jitterMs, (one.jitter ?? 0) * 1000);
    } else if (one.type === "outbound-rtp" && one.kind === "audio") {
      sample.sent += one.packetsSent ?? 0;
    } else if (one.type === "remote-inbound-rtp" && one.roundTripTime !== undefined) {
      sample.roundTripMs = one.roundTripTime * 1000;
    } else if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) {
      path = one.currentRoundTripTime * 1000;
    }
  }
  sample.roundTripMs ??= path;
  return sample;
}

/** How good the line was between two samples. Nothing at all for a whole moment is bad, whatever the counters say. */
export function qualityBetween(before: Sample, now: Sample): Quality {
  const received = Math.max(0, now.received - before.received);
  // A renegotiated line may count from zero again; late packets make the loss sink.
  const lost = Math.max(0, now.lost - before.lost);
  const due = received + lost;
  const lossPercent = due === 0 ? 100 : (lost / due) * 100;
  const { jitterMs, roundTripMs } = now;
  const over = (limit: typeof FAIR): boolean =>
    lossPercent >= limit.lossPercent || jitterMs >= limit.jitterMs || (roundTripMs ?? 0) >= limit.roundTripMs;
  return { grade: over(BAD) ? "bad" : over(FAIR) ? "fair" : "good", lossPercent, jitterMs, roundTripMs };
}
