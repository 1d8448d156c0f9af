// A reader may open a case before the machine has measured it: its figures go into the empty boxes when they come.
export function startFigures(form: HTMLFormElement): void {
  document.addEventListener("htmx:load", (event) => {
    const part = (event as CustomEvent<{ elt: HTMLElement }>).detail.elt;
    const source = part.matches("[data-figures]") ? part : part.querySelector<HTMLElement>("[data-figures]");
    if (source) fill(form, JSON.parse(source.dataset.figures ?? "{}") as Record<string, number>);
  });
}

function fill(form: HTMLFormElement, figures: Record<string, number>): void {
  let filled = false;
  for (const [name, value] of Object.entries(figures)) {
    const box = form.querySelector<HTMLInputElement>(`input[name="${CSS.escape(name)}"]`);
    // What the reader measured stands.
    if (!box || box.value.trim() !== "") continue;
    box.value = String(value);
    filled = true;
  }
  if (!filled) return;
  // Nobody has confirmed figures that were not there.
  const confirmed = form.querySelector<HTMLInputElement>("[name=measurements_confirmed]");
  if (confirmed) confirmed.checked = false;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}
