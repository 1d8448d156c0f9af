// Passing messages: from Django's messages in a header, and the sentences of errors that htmx met.
import { words } from "./words";

interface Message {
  text: string;
  level: string;
}

const STAY = 8000;

export function toast(text: string, level = "info", link?: { href: string; label: string }): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = document.createElement("div");
  box.className = `ds-toast is-${level}`;
  const line = document.createElement("span");
  line.textContent = text;
  box.append(line);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.label;
    box.append(anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "ds-toast-close";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", words.close);
  close.textContent = "×";
  box.append(close);
  place.append(box);
  if (level !== "error" && level !== "critical") setTimeout(() => box.remove(), STAY);
}

export function startToasts(): void {
  document.body.addEventListener("doorstep:toasts", (event) => {
    const { items } = (event as CustomEvent<{ items: Message[] }>).detail;
    for (const item of items) toast(item.text, item.level);
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const answer = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr.responseText;
    const part = new DOMParser().parseFromString(answer, "text/html").querySelector(".ds-error-part");
    toast(part?.textContent?.trim() ?? words.failed, "error");
  });
  document.body.addEventListener("htmx:sendError", () => toast(words.offline, "error"));
  document.addEventListener("click", (event) => {
    const close = (event.target as Element).closest("[data-dismiss]");
    close?.closest(".ds-toast, .ds-sound")?.remove();
  });
}
