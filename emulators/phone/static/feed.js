// One request for all phones about every 0.7 s; slower while the page is hidden, with growing pauses on errors.
import { post } from "./api.js";

const PACE_MS = 700;
const HIDDEN_MS = 4000;
const LOST_MS = 5000;

export class Feed {
  /** phones(): the phones on the wall. menu(buttons), state("" | "lost"), restarted() are told. */
  constructor({ boot, phones, menu, state, restarted }) {
    Object.assign(this, { boot, phones, menu, state, restarted });
    this.failures = 0;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(); });
  }

  /** Ask at once (something was just done). */
  soon(delay = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), delay);
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    const seen = Object.fromEntries(this.phones().map((phone) => [phone.key, phone.seen]));
    try {
      const answer = await post("/phone/feed", { phones: seen });
      if (answer.boot !== this.boot) { this.restarted(); return; }
      this.menu(answer.menu);
      for (const phone of this.phones()) {
        if (answer.phones[phone.key] && seen[phone.key]) phone.take(answer.phones[phone.key]);
      }
      if (this.failures) this.state("");
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      if (this.failures === 2) this.state("lost");
    } finally {
      this.asking = false;
    }
    this.soon(this.failures ? Math.min(LOST_MS, PACE_MS * 2 ** this.failures) : document.hidden ? HIDDEN_MS : PACE_MS);
  }
}
