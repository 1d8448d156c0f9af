// Fields that only matter for one answer stand aside for the others: data-shown-if="document=passport", several answers with "|".
// Without this script every field is there.
export function startConditions(): void {
  document.addEventListener("change", apply);
  document.addEventListener("input", apply);
  document.body.addEventListener("htmx:afterSettle", apply);
  apply();
}

function apply(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-shown-if]")) {
    const [name, answers] = (part.dataset.shownIf ?? "").split("=");
    const control = part.closest("form")?.elements.namedItem(name ?? "");
    const value = control instanceof RadioNodeList || control instanceof HTMLInputElement || control instanceof HTMLSelectElement ? control.value : "";
    // What was refused stays in sight.
    part.hidden = !(answers ?? "").split("|").includes(value) && !part.querySelector("[aria-invalid]");
  }
}
