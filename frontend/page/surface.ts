// Dialogs, menus, copying, the large-type switch, the way back, demo accounts of the login page.
import { toast } from "./toasts";
import { words } from "./words";

export function startSurface(): void {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
  });
  openWaiting();
  document.body.addEventListener("htmx:afterSettle", openWaiting);
}

function onClick(event: MouseEvent): void {
  const target = event.target as Element;
  closeMenus(target.closest("details.ds-menu"));
  const opener = target.closest<HTMLElement>("[data-dialog]");
  if (opener) show(document.getElementById(opener.dataset.dialog ?? ""));
  if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
  const copy = target.closest<HTMLElement>("[data-copy]");
  if (copy) void navigator.clipboard.writeText(copy.dataset.copy ?? "").then(() => toast(words.copied, "success"));
  if (target.closest("[data-large-type]")) toggleLargeType();
  if (target.closest("[data-print]")) window.print();
  const back = target.closest("[data-back]");
  if (back && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  const account = target.closest<HTMLElement>("[data-fill-login]");
  if (account) fillLogin(account);
}

function closeMenus(kept: Element | null): void {
  for (const menu of document.querySelectorAll("details.ds-menu[open]")) if (menu !== kept) menu.removeAttribute("open");
}

function show(element: HTMLElement | null): void {
  if (element instanceof HTMLDialogElement && !element.open) element.showModal();
}

function openWaiting(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[data-dialog-open]")) {
    delete dialog.dataset.dialogOpen;
    show(dialog);
  }
}

function toggleLargeType(): void {
  const large = document.documentElement.classList.toggle("ds-large");
  document.cookie = `large_type=${large ? "1" : "0"}; path=/; max-age=31536000; samesite=lax`;
}

function fillLogin(account: HTMLElement): void {
  const form = document.querySelector<HTMLFormElement>("form[data-login]");
  const name = form?.querySelector<HTMLInputElement>("[name=login]");
  const password = form?.querySelector<HTMLInputElement>("[name=password]");
  if (!form || !name || !password) return;
  name.value = account.dataset.fillLogin ?? "";
  password.value = account.dataset.fillPassword ?? "";
  form.querySelector<HTMLButtonElement>("button[type=submit]")?.focus();
}
