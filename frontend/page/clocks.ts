// Clock chips count down once a second; the server's HTML shows the due time for readers without scripts.
import { words } from "./words";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The server's clock leads: a wrong clock of a village computer must not hide a late case.
const AHEAD = Number(document.documentElement.dataset.now ?? 0) - Math.floor(Date.now() / 1000);

export function startClocks(): void {
  tick();
  setInterval(tick, 1000);
  document.body.addEventListener("htmx:afterSettle", tick);
}

function tick(): void {
  const now = Math.floor(Date.now() / 1000) + AHEAD;
  for (const chip of document.querySelectorAll<HTMLElement>("[data-clock]")) draw(chip, now);
}

function draw(chip: HTMLElement, now: number): void {
  const due = Number(chip.dataset.due);
  const done = chip.dataset.done ? Number(chip.dataset.done) : null;
  const left = due - (done ?? now);
  const warn = chip.dataset.warn ? Number(chip.dataset.warn) : due;
  const state = done !== null ? "is-done" : left < 0 ? "is-over" : now >= warn ? "is-warn" : "is-fine";
  if (!chip.classList.contains(state)) {
    chip.classList.remove("is-done", "is-over", "is-warn", "is-fine");
    chip.classList.add(state);
  }
  // A place that was kept is free for others from this second on: what is over says so in its own words.
  const over = chip.dataset.over && done === null && left <= 0 ? chip.dataset.over : "";
  const text = over ? over : done !== null ? finished(left) : left >= 0 ? `${words.left}${span(left, true)}${words.leftAfter}` : `${words.over}${span(-left, false)}${words.overAfter}`;
  const place = chip.querySelector("span") ?? chip;
  if (place.textContent !== text) place.textContent = text;
}

function finished(left: number): string {
  return left >= 0 ? words.inTime : `${words.late}${span(-left, false)}`;
}

function span(seconds: number, exact: boolean): string {
  if (seconds < HOUR && exact) return `${Math.floor(seconds / MINUTE)}:${String(seconds % MINUTE).padStart(2, "0")}`;
  if (seconds < HOUR) return `${Math.max(1, Math.floor(seconds / MINUTE))}${words.minutes}`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}${words.hours} ${Math.floor((seconds % HOUR) / MINUTE)}${words.minutes}`;
  return `${Math.floor(seconds / DAY)}${words.days} ${Math.floor((seconds % DAY) / HOUR)}${words.hours}`;
}
