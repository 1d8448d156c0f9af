// Whoever printed at a machine in the hall is done: the slip is named, then the first page comes back and the person is forgotten.
const READ_IT = 5_000;

export function startPrinting(): void {
  const button = document.querySelector<HTMLElement>("[data-leave-after-print]");
  const start = button?.dataset.leaveAfterPrint;
  if (!button || !start) return;
  window.addEventListener("afterprint", () => {
    button.hidden = true;
    for (const note of document.querySelectorAll<HTMLElement>("[data-printed]")) note.hidden = false;
    // Not from the history either: the next one does not come back to this number.
    window.setTimeout(() => location.replace(start), READ_IT);
  }, { once: true });
}
