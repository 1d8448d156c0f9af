// Draws paper, traces, calibration pulse and calipers on a canvas; all lengths in millimetres until the last moment.
import type { Recording } from "./recording";
import type { Sheet } from "./sheet";
import { words } from "./words";

export interface Look {
  speed: number;
  gain: number;
  filtered: boolean;
  chosen: number | null;
  title: string;
  note: string;
}

export interface Calipers {
  points: [Point, Point];
  active: 0 | 1;
  march: boolean;
}

export interface Point {
  x: number;
  y: number;
}

const PAPER = "#fffafa";
const THIN = "#f6d5d6";
const THICK = "#eba9ac";
const INK = "#14181f";
const MARK = "#0b5cad";

export function paint(canvas: HTMLCanvasElement, paper: Sheet, recording: Recording, traces: Float32Array[], look: Look, scale: number): void {
  const context = prepared(canvas, paper, scale);
  if (context === null) return;
  grid(context, paper, scale);
  context.lineJoin = "round";
  for (const cell of paper.cells) {
    const name = recording.leads[cell.lead] ?? "";
    const chosen = look.chosen === cell.lead;
    if (cell.pulse) pulse(context, cell.left - 7, cell.baseline, look, scale);
    if (cell.left > 8.1) divider(context, cell.left, cell.baseline, scale);
    trace(context, traces[cell.lead], recording.hz, cell, look, scale, paper.rowHeight);
    label(context, name, cell.left + 1, cell.baseline - paper.rowHeight * 0.36, scale, chosen ? MARK : INK, 700);
    if (chosen) {
      context.fillStyle = "rgba(11, 92, 173, 0.06)";
      context.fillRect(cell.left * scale, (cell.baseline - paper.rowHeight * 0.5) * scale, cell.width * scale, paper.rowHeight * scale);
    }
  }
  label(context, look.title, 2, 5.5, scale, INK, 600);
  const filter = look.filtered ? words.filterOn : words.filterOff;
  const cart = recording.cartFilter ? `   ${words.cart} ${recording.cartFilter}` : "";
  const foot = `${look.speed} mm/s   ${look.gain} mm/mV   ${words.filter} ${filter}${cart}${look.note ? `   ${look.note}` : ""}`;
  label(context, foot, 2, paper.height - 2.5, scale, INK, 400);
}

function prepared(canvas: HTMLCanvasElement, paper: Sheet, scale: number): CanvasRenderingContext2D | null {
  const ratio = Math.max(window.devicePixelRatio, 1);
  canvas.width = Math.ceil(paper.width * scale * ratio);
  canvas.height = Math.ceil(paper.height * scale * ratio);
  canvas.style.width = `${paper.width * scale}px`;
  canvas.style.height = `${paper.height * scale}px`;
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function grid(context: CanvasRenderingContext2D, paper: Sheet, scale: number): void {
  context.fillStyle = PAPER;
  context.fillRect(0, 0, paper.width * scale, paper.height * scale);
  for (const [step, colour, width] of [[1, THIN, 0.5], [5, THICK, 0.8]] as const) {
    context.beginPath();
    for (let x = 0; x <= paper.width; x += step) line(context, x, 0, x, paper.height, scale);
    for (let y = 0; y <= paper.height; y += step) line(context, 0, y, paper.width, y, scale);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number, scale: number): void {
  context.moveTo(x1 * scale, y1 * scale);
  context.lineTo(x2 * scale, y2 * scale);
}

function pulse(context: CanvasRenderingContext2D, left: number, baseline: number, look: Look, scale: number): void {
  // 1 mV for 0.2 s
  const width = Math.min(0.2 * look.speed, 5);
  const points = [[0, 0], [0.8, 0], [0.8, -look.gain], [0.8 + width, -look.gain], [0.8 + width, 0], [6.6, 0]] as const;
  context.beginPath();
  for (const [x, y] of points) context.lineTo((left + x) * scale, (baseline + y) * scale);
  context.strokeStyle = INK;
  context.lineWidth = 1.1;
  context.stroke();
}

function divider(context: CanvasRenderingContext2D, x: number, baseline: number, scale: number): void {
  context.beginPath();
  line(context, x, baseline - 4, x, baseline - 2, scale);
  line(context, x, baseline + 2, x, baseline + 4, scale);
  context.strokeStyle = INK;
  context.lineWidth = 0.8;
  context.stroke();
}

function trace(
  context: CanvasRenderingContext2D, samples: Float32Array | undefined, hz: number,
  cell: Sheet["cells"][number], look: Look, scale: number, rowHeight: number,
): void {
  if (samples === undefined) return;
  const first = Math.round(cell.from * hz);
  const last = Math.min(samples.length, first + Math.round((cell.width / look.speed) * hz) + 1);
  const middle = median(samples);
  context.save();
  context.beginPath();
  context.rect(cell.left * scale, (cell.baseline - rowHeight) * scale, cell.width * scale, rowHeight * 2 * scale);
  context.clip();
  context.beginPath();
  for (let place = first; place < last; place++) {
    const x = cell.left + ((place - first) / hz) * look.speed;
    const y = cell.baseline - (((samples[place] ?? 0) - middle) / 1000) * look.gain;
    context.lineTo(x * scale, y * scale);
  }
  context.strokeStyle = INK;
  context.lineWidth = Math.max(1.05, 0.28 * scale);
  context.stroke();
  context.restore();
}

const middles = new WeakMap<Float32Array, number>();

function median(samples: Float32Array): number {
  const known = middles.get(samples);
  if (known !== undefined) return known;
  const middle = samples.slice().sort()[samples.length >> 1] ?? 0;
  middles.set(samples, middle);
  return middle;
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, scale: number, colour: string, weight: number): void {
  context.font = `${weight} ${Math.max(11, 3 * scale)}px system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif`;
  context.fillStyle = colour;
  context.fillText(text, x * scale, y * scale);
}

export function reading(calipers: Calipers, look: Look): string {
  const [a, b] = calipers.points;
  const ms = (Math.abs(b.x - a.x) / look.speed) * 1000;
  const mv = (a.y - b.y) / look.gain;
  const rate = ms > 0 ? ` · ${Math.round(60_000 / ms)} ${words.bpm}` : "";
  return `${Math.round(ms)} ms${rate} · ${mv.toFixed(2)} mV`;
}

export function paintCalipers(canvas: HTMLCanvasElement, paper: Sheet, calipers: Calipers, look: Look, scale: number): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const [a, b] = calipers.points;
  const gap = b.x - a.x;
  context.strokeStyle = MARK;
  context.lineWidth = 1;
  if (calipers.march && Math.abs(gap) > 1) {
    context.setLineDash([3, 3]);
    context.beginPath();
    for (let x = b.x + gap; x > 0 && x < paper.width; x += gap) line(context, x, 8, x, paper.height - 6, scale);
    for (let x = a.x - gap; x > 0 && x < paper.width; x -= gap) line(context, x, 8, x, paper.height - 6, scale);
    context.stroke();
    context.setLineDash([]);
  }
  context.beginPath();
  for (const point of calipers.points) {
    line(context, point.x, 7, point.x, paper.height - 6, scale);
    line(context, point.x - 4, point.y, point.x + 4, point.y, scale);
  }
  line(context, a.x, (a.y + b.y) / 2, b.x, (a.y + b.y) / 2, scale);
  context.stroke();
  calipers.points.forEach((point, index) => {
    context.beginPath();
    context.arc(point.x * scale, point.y * scale, 5, 0, 7);
    context.fillStyle = index === calipers.active ? MARK : "#fff";
    context.fill();
    context.stroke();
  });
  const text = reading(calipers, look);
  const x = Math.min(Math.max(a.x, b.x) + 2, Math.max(2, paper.width - 62));
  const y = Math.max(12, Math.min(a.y, b.y) - 4);
  context.font = `600 ${Math.max(12, 3.2 * scale)}px system-ui, sans-serif`;
  const width = context.measureText(text).width;
  context.fillStyle = "rgba(255, 255, 255, 0.92)";
  context.fillRect(x * scale - 4, (y - 4) * scale, width + 8, 5.4 * scale);
  label(context, text, x, y, scale, MARK, 600);
}
