// Selects that name an order (data-order="units" in one form): what an earlier one holds is no choice of a later one, and comes back
// when the earlier one changes. Without this script the server drops the second mention.
export function startChoices(): void {
  document.addEventListener("change", apply);
  document.body.addEventListener("htmx:afterSettle", apply);
  apply();
}

function apply(): void {
  for (const form of document.querySelectorAll("form")) {
    const taken = new Map<string, Set<string>>();
    for (const select of form.querySelectorAll<HTMLSelectElement>("select[data-order]")) {
      const before = taken.get(select.dataset.order ?? "") ?? new Set<string>();
      for (const option of select.options) {
        option.hidden = option.disabled = before.has(option.value);
      }
      if (select.selectedOptions[0]?.disabled) {
        // The end of the order: whoever takes a unit away from here names the next one on purpose.
        select.value = "";
      }
      if (select.value) {
        before.add(select.value);
      }
      taken.set(select.dataset.order ?? "", before);
    }
  }
}
