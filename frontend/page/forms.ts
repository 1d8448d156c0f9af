// Forms: no double submit, questions before an irreversible act, drop zones, focus on what was wrong.
import { toast } from "./toasts";
import { words } from "./words";

const answered = new WeakSet<HTMLElement>();

export function startForms(): void {
  document.addEventListener("submit", onSubmit, true);
  // A page that comes back from the browser's memory must be usable again.
  window.addEventListener("pageshow", release);
  document.body.addEventListener("htmx:afterRequest", release);
  document.body.addEventListener("htmx:beforeRequest", holdShortLookup);
  document.body.addEventListener("htmx:afterSettle", focusFault);
  document.addEventListener("change", showFileName);
  document.addEventListener("change", sendChoice);
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(kind, markDrop);
  focusFault();
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (question && button && !answered.has(button)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(question, spoken(button), () => {
      answered.add(button);
      form.requestSubmit(button);
      answered.delete(button);
    });
    return;
  }
  if (form.method === "dialog" || form.dataset.guard === "off") return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (!navigator.onLine) {
    // The browser would leave the page for its own, and with it what was typed.
    event.preventDefault();
    event.stopImmediatePropagation();
    toast(words.kept, "error");
    return;
  }
  form.dataset.sent = "";
  button?.setAttribute("aria-busy", "true");
}

// What a button says, without the keys that press it.
function spoken(button: HTMLElement): string {
  const copy = button.cloneNode(true) as HTMLElement;
  for (const key of copy.querySelectorAll("kbd")) key.remove();
  return copy.textContent?.trim() || words.confirm;
}

function release(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

function ask(question: string, yes: string, act: () => void): void {
  const dialog = document.createElement("dialog");
  dialog.className = "ds-dialog";
  const head = document.createElement("header");
  const title = document.createElement("h2");
  title.textContent = words.please;
  head.append(title);
  const body = document.createElement("div");
  body.className = "ds-dialog-body";
  const text = document.createElement("p");
  text.textContent = question;
  const row = document.createElement("p");
  row.className = "ds-actions";
  row.append(choice(yes, "btn btn-primary", () => { dialog.close(); act(); }), choice(words.cancel, "btn", () => dialog.close()));
  body.append(text, row);
  dialog.append(head, body);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function choice(text: string, css: string, act: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = css;
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

function holdShortLookup(event: Event): void {
  const box = event.target as HTMLInputElement;
  const minimum = Number(box.dataset?.minimum ?? 0);
  if (minimum && box.value.trim().length < minimum) event.preventDefault();
}

// The first field that was refused, while the summary stays in sight beside it; else the summary, whose links lead to the fields.
// Once, so that another part that arrives later takes nobody away from a field.
function focusFault(): void {
  const summary = document.querySelector<HTMLElement>("[data-focus]");
  if (!summary) return;
  delete summary.dataset.focus;
  const wrong = summary.closest("form")?.querySelector<HTMLElement>("[aria-invalid=true], .ds-field.is-invalid input");
  summary.scrollIntoView({ block: "start" });
  if (wrong && isInSight(wrong)) wrong.focus({ preventScroll: true });
  else summary.focus();
  keepInSight(summary);
}

function isInSight(element: HTMLElement): boolean {
  const box = element.getBoundingClientRect();
  return box.top >= 0 && box.bottom <= window.innerHeight;
}

// A part that is drawn late, like a tracing, pushes what stands below it out of the window: it is fetched back until somebody moves.
function keepInSight(summary: HTMLElement): void {
  const watch = new IntersectionObserver((seen) => {
    if (seen.every((one) => !one.isIntersecting)) summary.scrollIntoView({ block: "start" });
  });
  watch.observe(summary);
  const stop = () => watch.disconnect();
  for (const kind of ["wheel", "pointerdown", "keydown", "touchmove"]) document.addEventListener(kind, stop, { once: true, passive: true });
  window.setTimeout(stop, 5000);
}

function showFileName(event: Event): void {
  const input = event.target as HTMLInputElement;
  const name = input.closest("[data-drop]")?.querySelector("[data-drop-name]");
  if (!name || !input.files) return;
  name.textContent = [...input.files].map((file) => `${file.name}（${Math.max(1, Math.round(file.size / 1024))} kB）`).join("、");
}

// A form of one choice is sent by the choice itself.
function sendChoice(event: Event): void {
  (event.target as Element).closest<HTMLFormElement>("form[data-sends]")?.requestSubmit();
}

function markDrop(event: Event): void {
  const zone = (event.target as Element | null)?.closest?.("[data-drop]");
  zone?.classList.toggle("is-over", event.type === "dragenter" || event.type === "dragover");
}
