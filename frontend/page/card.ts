// The number of an id card holds the birth date and the sex (GB 11643-1999): whoever types or scans it need not say them again.
const WHOLE = /^\d{6}(\d{4})(\d{2})(\d{2})\d{2}(\d)[\dX]$/;

export function startCards(): void {
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (box instanceof HTMLInputElement && box.dataset.card !== undefined) read(box);
  });
}

function read(box: HTMLInputElement): void {
  const found = WHOLE.exec(box.value.replace(/\s/g, "").toUpperCase());
  if (!found || !box.form) return;
  const [, year, month, day, order] = found;
  const born = box.form.elements.namedItem("birth_date");
  if (born instanceof HTMLInputElement) born.value = `${year}-${month}-${day}`;
  const sex = box.form.querySelector<HTMLInputElement>(`[name=gender][value=${Number(order) % 2 ? "male" : "female"}]`);
  if (sex) sex.checked = true;
}
