// Whoever printed at a machine in the hall is done: the slip is named, then the first page comes back and the person is forgotten.
const READ_IT = 5_000;

export function startPrinting(): void {
  const button = document.querySelector<HTMLElement>("[data-leave-after-print]");
  const start = button?.dataset.leaveAfterPrint;
  if (!button || !start) return;
  // The click prints, which holds everything up until the paper is on its way; what is put off here comes after it, also where
  // the machine prints without asking.
  button.addEventListener("click", () => window.setTimeout(() => leave(button, start)), { once: true });
}

function leave(button: HTMLElement, start: string): void {
  button.hidden = true;
  for (const note of document.querySelectorAll<HTMLElement>("[data-printed]")) note.hidden = false;
  // Not from the history either: the next one does not come back to this number.
  window.setTimeout(() => location.replace(start), READ_IT);
}
