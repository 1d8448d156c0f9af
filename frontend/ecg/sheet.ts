// Where each lead stands on the paper, in millimetres.
export type Layout = "3x4" | "6x2" | "12x1" | "zoom";

export interface Cell {
  lead: number;
  left: number;
  baseline: number;
  width: number;
  from: number;
  pulse: boolean;
}

export interface Sheet {
  width: number;
  height: number;
  cells: Cell[];
  rowHeight: number;
}

const TOP = 9;
const PULSE = 8;
const FOOT = 8;
const THREE = [
  [0, 3, 6, 9],
  [1, 4, 7, 10],
  [2, 5, 8, 11],
];

export function sheet(layout: Layout, speed: number, gain: number, duration: number, zoomed: number): Sheet {
  const seconds = Math.min(duration, 10);
  const rows: number[][] =
    layout === "3x4"
      ? [...THREE, [1]]
      : layout === "6x2"
        ? [0, 1, 2, 3, 4, 5].map((lead) => [lead, lead + 6])
        : layout === "zoom"
          ? [[zoomed], [zoomed]]
          : Array.from({ length: 12 }, (_, lead) => [lead]);
  // Taller rows for a taller gain, so that traces do not run into each other.
  const rowHeight = { "3x4": 26, "6x2": 21, "12x1": 16, zoom: 36 }[layout] * (gain === 20 ? 1.5 : 1);
  const span = layout === "zoom" ? seconds / 2 : seconds;
  const cells = rows.flatMap((row, index) =>
    row.map((lead, column): Cell => {
      const part = span / row.length;
      return {
        lead,
        left: PULSE + column * part * speed,
        baseline: TOP + rowHeight * (index + 0.55),
        width: part * speed,
        from: layout === "zoom" ? index * span : column * part,
        pulse: column === 0,
      };
    }),
  );
  return { width: PULSE + span * speed + 4, height: TOP + rowHeight * rows.length + FOOT, cells, rowHeight };
}

export function cellAt(paper: Sheet, x: number, y: number): Cell | undefined {
  return paper.cells.find(
    (cell) => x >= cell.left && x < cell.left + cell.width && Math.abs(y - cell.baseline) <= paper.rowHeight / 2,
  );
}
