// On a phone a table's rows become small cards: each cell learns the name of its column, which the style then shows.

export function startTables(): void {
  label(document);
  document.body.addEventListener("htmx:afterSettle", () => label(document));
}

function label(root: ParentNode): void {
  for (const table of root.querySelectorAll<HTMLTableElement>("table.ds-table:not(.is-stacked)")) {
    const names = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    // A grid whose first cells are headings of rows, or with cells over several columns, stays a table.
    if (!rows.every((row) => row.cells.length === names.length && [...row.cells].every((cell) => cell.tagName === "TD"))) continue;
    for (const row of rows) {
      [...row.cells].forEach((cell, index) => stamp(cell, names[index] ?? ""));
    }
    table.classList.add("is-stacked");
  }
}

// The cell's content becomes one part, so that it stands beside the name as a whole.
function stamp(cell: HTMLTableCellElement, name: string): void {
  cell.dataset.label = name;
  const whole = document.createElement("span");
  whole.className = "ds-cell";
  whole.append(...cell.childNodes);
  cell.append(whole);
}
