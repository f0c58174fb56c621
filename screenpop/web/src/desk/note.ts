/** Saves the note of a call while it is written: after a pause, one request at a time, and the last text wins. */
import { reactive } from "vue";

export type NoteState = "idle" | "waiting" | "saving" | "saved" | "failed";

const PAUSE_MS = 800;

export class Note {
  readonly view = reactive({ text: "", state: "idle" as NoteState });
  private kept = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;

  /** `save` stores the text; `keepalive` asks for a request that outlives the page. */
  constructor(private readonly save: (text: string, keepalive: boolean) => Promise<unknown>) {}

  /** The text that the server has, shown unless somebody has begun to write. */
  load(text: string): void {
    if (this.view.state !== "idle" || this.view.text !== "") return;
    this.kept = text;
    this.view.text = text;
  }

  /** New text from the keyboard. */
  write(text: string): void {
    this.view.text = text;
    this.view.state = "waiting";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  /** Save now what is not saved yet. */
  async flush(keepalive = false): Promise<void> {
    clearTimeout(this.timer);
    if (this.busy && !keepalive) return;
    if (this.view.text === this.kept) {
      if (this.view.state === "waiting") this.view.state = "saved";
      return;
    }
    const text = this.view.text;
    this.busy = true;
    this.view.state = "saving";
    try {
      await this.save(text, keepalive);
      this.kept = text;
      this.view.state = this.view.text === text ? "saved" : "waiting";
    } catch {
      this.view.state = "failed";
    } finally {
      this.busy = false;
    }
    if (this.view.text !== text) await this.flush();
  }

  /** Whether something would be lost. */
  get unsaved(): boolean {
    return this.view.text !== this.kept;
  }
}
