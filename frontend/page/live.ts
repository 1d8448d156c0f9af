// What the server pushes: one tab of a browser holds the connection and tells the others.
import type htmxType from "htmx.org";
import { alarmed, ring, ringUntilClosed } from "./sound";
import { toast } from "./toasts";
import { words } from "./words";

interface LiveEvent {
  kind: string;
  id: string;
}

type Htmx = typeof htmxType;
const RETRY_LOWEST = 2000;
const RETRY_HIGHEST = 60000;

export function startLive(htmx: Htmx): void {
  const address = document.body.dataset.live;
  if (!address) return;
  const channel = new BroadcastChannel("doorstep-live");
  channel.onmessage = (message: MessageEvent<LiveEvent>) => receive(htmx, message.data);
  const tell = (event: LiveEvent): void => {
    channel.postMessage(event);
    receive(htmx, event);
  };
  // Several tabs would each take one of the few connections of a session: the lock's holder listens for all.
  if (navigator.locks) void navigator.locks.request("doorstep-live", () => new Promise<never>(() => listen(address, tell)));
  else listen(address, tell);
}

function listen(address: string, tell: (event: LiveEvent) => void): void {
  let wait = RETRY_LOWEST;
  let opened = false;
  const connect = (): void => {
    const source = new EventSource(address, { withCredentials: true });
    source.onopen = () => {
      wait = RETRY_LOWEST;
      // What was pushed while the line was down is lost: the pages ask for themselves.
      if (opened) tell({ kind: "resync", id: "" });
      opened = true;
    };
    source.onmessage = (message) => tell(JSON.parse(message.data as string) as LiveEvent);
    source.onerror = () => {
      // A lost connection comes back by itself; one that was refused is closed for good and asked for again later.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, RETRY_HIGHEST);
    };
  };
  connect();
}

function receive(htmx: Htmx, event: LiveEvent): void {
  htmx.trigger(document.body, `live:${event.kind}`, { id: event.id });
  htmx.trigger(document.body, "live:any", { kind: event.kind, id: event.id });
  if (event.kind === "critical") void alarm(htmx, event);
  if (event.kind === "resync") void remind(htmx);
}

// After a lost line: an urgent notice that nobody has opened yet is shown as if it came now.
async function remind(htmx: Htmx): Promise<void> {
  if (!document.body.dataset.liveToast) return;
  if (await show(htmx, "")) void ring();
}

async function alarm(htmx: Htmx, event: LiveEvent): Promise<void> {
  if (!document.body.dataset.liveToast) toast(words.critical, "critical");
  // The push goes to the whole unit: who is never alarmed hears it only when the notice is theirs after all.
  else if (!(await show(htmx, event.id)) && !alarmed()) return;
  void ring();
}

async function show(htmx: Htmx, id: string): Promise<boolean> {
  const place = liveDialog();
  const address = document.body.dataset.liveToast ?? "";
  const separator = address.includes("?") ? "&" : "?";
  await htmx.ajax("get", `${address}${separator}id=${encodeURIComponent(id)}`, { target: place.body, swap: "innerHTML" });
  const filled = Boolean(place.body.textContent?.trim());
  if (filled && !place.dialog.open) {
    place.dialog.showModal();
    ringUntilClosed(place.dialog);
  }
  return filled;
}

function liveDialog(): { dialog: HTMLDialogElement; body: HTMLElement } {
  let dialog = document.getElementById("live-dialog") as HTMLDialogElement | null;
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "live-dialog";
    dialog.className = "ds-dialog is-critical";
    dialog.setAttribute("aria-live", "assertive");
    const body = document.createElement("div");
    body.className = "ds-dialog-body";
    dialog.append(body);
    document.body.append(dialog);
  }
  return { dialog, body: dialog.firstElementChild as HTMLElement };
}
