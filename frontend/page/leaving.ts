// A page of the kiosk is left by itself when nobody touches it; before that it asks, and whoever answers has the whole time anew (WCAG 2.2.1).
const WARNING = 20_000;
// How often touches are told to the server, which counts the time too.
const TELL = 10_000;

export function startLeaving(): void {
  const dialog = document.querySelector<HTMLDialogElement>("dialog[data-leaves]");
  if (!dialog) return;
  const whole = Number(dialog.dataset.leaves) * 1000;
  const bar = document.querySelector<HTMLElement>(".ds-kiosk-time span");
  const leave = () => location.replace(dialog.dataset.start ?? "/");
  let warns = 0;
  let leaves = 0;
  let told = Date.now();
  const begin = () => {
    window.clearTimeout(warns);
    window.clearTimeout(leaves);
    warns = window.setTimeout(() => dialog.showModal(), whole - WARNING);
    leaves = window.setTimeout(leave, whole);
    for (const run of bar?.getAnimations() ?? []) run.currentTime = 0;
  };
  const tell = async () => {
    told = Date.now();
    const answer = await fetch(dialog.dataset.stays ?? "", { redirect: "manual" }).catch(() => null);
    // The server has forgotten who stood here: so does the page.
    if (answer && answer.status !== 204) leave();
  };
  const touched = () => {
    if (dialog.open) return;
    begin();
    if (Date.now() - told > TELL) void tell();
  };
  for (const sign of ["pointerdown", "keydown", "scroll"]) document.addEventListener(sign, touched, { passive: true });
  // The button, or Escape.
  dialog.querySelector("[data-stay]")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    begin();
    void tell();
  });
  begin();
}
