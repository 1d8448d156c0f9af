// The keys on the glass of a kiosk: they write into the field that was touched last, as a keyboard would.
export function startKeypad(): void {
  const pad = document.querySelector<HTMLElement>("[data-keypad]");
  if (!pad) return;
  let field = document.querySelector<HTMLInputElement>("input[autofocus]");
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof HTMLInputElement) field = event.target;
  });
  // The field keeps the focus while keys are touched.
  pad.addEventListener("pointerdown", (event) => event.preventDefault());
  pad.addEventListener("click", (event) => {
    const key = (event.target as Element).closest<HTMLElement>("[data-key]")?.dataset.key;
    if (!key || !field) return;
    field.value = key === "back" ? field.value.slice(0, -1) : field.value + key;
    field.focus();
  });
}
