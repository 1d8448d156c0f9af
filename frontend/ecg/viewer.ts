// The custom element: state, toolbar, keyboard and pointer; drawing is in paint.ts.
import { calibrationDialog, element, keptScale, keysDialog } from "./dialogs";
import { paint, paintCalipers, reading, type Calipers, type Look, type Point } from "./paint";
import { load, smoothed, type Recording } from "./recording";
import { cellAt, sheet, type Layout, type Sheet } from "./sheet";
import { style } from "./style";
import { Choice } from "./toolbar";
import { words } from "./words";

type Comparison = "off" | "below" | "beside";
const SPEEDS = [25, 50, 12.5] as const;
const GAINS = [10, 20, 5] as const;
const COMPARISONS: readonly Comparison[] = ["off", "below", "beside"];
const GRAB_PIXELS = 16;
// Pixels for a millimetre below which a preview scrolls, and the width of its frame.
const MINIMUM_SCALE = 1.6;
const FRAME = 16;
const next = <Item>(items: readonly Item[], item: Item): Item => items[(items.indexOf(item) + 1) % items.length] ?? item;

class Page {
  readonly canvas = element("canvas", { role: "img" });
  readonly root = element("div", { class: "paper" }, this.canvas);
  private readonly soft: Float32Array[];

  constructor(readonly recording: Recording, readonly title: string) {
    this.soft = recording.traces.map((trace) => smoothed(trace, recording.hz));
  }

  draw(paper: Sheet, look: Look, scale: number): void {
    const when = this.recording.takenAt?.toLocaleString(document.documentElement.lang || "zh-CN", { timeZone: "Asia/Shanghai", hour12: false }) ?? "";
    const title = [this.title, when].filter(Boolean).join("  ");
    paint(this.canvas, paper, this.recording, look.filtered ? this.soft : this.recording.traces, { ...look, title }, scale);
    const missing = this.recording.flat.length > 0 ? `，${words.flat} ${this.recording.flat.join(" ")}` : "";
    const facts = `${this.recording.duration.toFixed(0)} ${words.seconds}，${look.speed} mm/s，${look.gain} mm/mV${missing}`;
    this.canvas.setAttribute("aria-label", `${words.twelve} ${title}：${this.recording.leads.join(" ")}，${facts}`);
  }
}

export class EcgViewer extends HTMLElement {
  static readonly observedAttributes = ["src", "compare"];
  private readonly shadow = this.attachShadow({ mode: "open" });
  private readonly papers = element("div", { class: "papers" });
  private readonly say = element("div", { class: "say", role: "status" });
  private readonly calibration = calibrationDialog((scale) => this.change(() => (this.scale = scale)));
  private readonly keys = keysDialog();
  private readonly layouts = new Choice<Layout>(words.layout, [["3x4", words.rhythmStrip], ["6x2", "6×2"], ["12x1", "12×1"]], (value) => this.change(() => (this.layout = value)));
  private readonly speeds = new Choice<number>(words.speed, [[12.5, "12.5"], [25, "25"], [50, "50"]], (value) => this.change(() => (this.speed = value)));
  private readonly gains = new Choice<number>(words.gain, [[5, "5"], [10, "10"], [20, "20"]], (value) => this.change(() => (this.gain = value)));
  private readonly filters = new Choice<string>(words.filter, [["off", words.filterOff], ["on", words.filterOn]], (value) => this.change(() => (this.filtered = value === "on")));
  private readonly comparisons = new Choice<Comparison>(words.compare, [["off", words.off], ["below", words.below], ["beside", words.beside]], (value) => this.change(() => (this.comparison = value)));
  private readonly tools = new Choice<string>(words.calipers, [["calipers", words.calipers], ["march", words.march]], (value) => this.useTool(value));
  private layout: Layout = "3x4";
  private speed = 25;
  private gain = 10;
  private filtered = false;
  private comparison: Comparison = "below";
  private scale = keptScale();
  private chosen: number | null = null;
  private zoomed: number | null = null;
  private calipers: Calipers | null = null;
  private dragging = false;
  private pages: Page[] = [];
  private asked = 0;

  connectedCallback(): void {
    if (this.shadow.childElementCount > 0) return;
    this.shadow.adoptedStyleSheets = [style];
    const actions = [[words.calibrate, () => this.calibration.showModal()], [words.print, () => window.print()], [words.help, () => this.keys.showModal()]] as const;
    const buttons = actions.map(([text, act]) => {
      const button = element("button", { type: "button" }, text);
      button.addEventListener("click", act);
      return button;
    });
    const groups = [this.layouts, this.speeds, this.gains, this.filters, this.tools, this.comparisons].map((choice) => choice.root);
    const bar = element("div", { class: "bar", role: "toolbar", "aria-label": words.twelve }, ...groups, element("div", { class: "group" }, ...buttons));
    // A preview is looked at; who measures opens the recording itself.
    bar.hidden = this.hasAttribute("compact");
    this.shadow.append(bar, this.papers, this.say, this.calibration, this.keys);
    this.addEventListener("keydown", (event) => this.press(event));
    window.addEventListener("beforeprint", () => this.draw());
  }

  // The keyboard's way to the paper, past everything that stands before it.
  override focus(): void {
    this.papers.querySelector("canvas")?.focus();
  }

  attributeChangedCallback(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    const turn = ++this.asked;
    this.say.textContent = words.loading;
    try {
      const sources = [this.getAttribute("src"), this.getAttribute("compare")].filter((source): source is string => Boolean(source));
      const found = await Promise.all(sources.map((source) => load(source)));
      // Attributes may have changed while the answer was under way.
      if (turn !== this.asked) return;
      this.pages = found.map((recording, index) => new Page(recording, found.length === 1 ? words.twelve : index === 0 ? words.current : words.earlier));
      this.comparisons.root.hidden = found.length < 2;
      this.pages.forEach((page) => this.listen(page));
      this.say.textContent = "";
      const [first] = this.pages;
      if (first && this.hasAttribute("compact")) this.scale = Math.max(MINIMUM_SCALE, (this.clientWidth - FRAME) / this.paperOf(first).width);
      this.draw();
    } catch {
      this.say.textContent = words.failed;
    }
  }

  private change(step: () => void): void {
    step();
    this.zoomed = null;
    this.draw();
  }

  private draw(): void {
    const shown = this.comparison === "off" ? this.pages.slice(0, 1) : this.pages;
    this.papers.className = `papers ${this.comparison}`;
    // What stays on screen is not moved: moving a canvas takes the keyboard's focus from it.
    for (const child of [...this.papers.children]) if (!shown.some((page) => page.root === child)) child.remove();
    shown.forEach((page) => {
      if (!page.root.isConnected) this.papers.append(page.root);
      const [paper, look] = [this.paperOf(page), this.look(page)];
      page.draw(paper, look, this.drawnScale());
      if (this.calipers !== null) paintCalipers(page.canvas, paper, this.calipers, look, this.drawnScale());
      page.canvas.classList.toggle("measuring", this.calipers !== null);
      page.canvas.tabIndex = 0;
    });
    this.layouts.show(this.layout);
    this.speeds.show(this.speed);
    this.gains.show(this.gain);
    this.filters.show(this.filtered ? "on" : "off");
    this.comparisons.show(this.comparison);
    this.tools.show(this.calipers === null ? "" : this.calipers.march ? "march" : "calipers");
    const first = this.pages[0];
    if (first !== undefined) this.say.textContent = this.calipers === null ? this.notes(first.recording) : `${words.handle} ${reading(this.calipers, this.look(first))}`;
  }

  private notes(recording: Recording): string {
    const derived = recording.derived.length > 0 ? `${words.derived} ${recording.derived.join(" ")}  ` : "";
    return derived + (recording.flat.length > 0 ? `${words.flat} ${recording.flat.join(" ")}` : "");
  }

  private drawnScale(): number {
    return this.zoomed === null ? this.scale : this.scale * 2;
  }

  private paperOf(page: Page): Sheet {
    return sheet(this.zoomed === null ? this.layout : "zoom", this.speed, this.gain, page.recording.duration, this.zoomed ?? 0);
  }

  private look(page: Page): Look {
    return { speed: this.speed, gain: this.gain, filtered: this.filtered, chosen: this.zoomed === null ? this.chosen : null, title: page.title, note: this.zoomed === null ? "" : words.zoomed };
  }

  private useTool(tool: string): void {
    if (tool === "march" && this.calipers !== null) this.calipers.march = !this.calipers.march;
    else if (tool === "calipers" && this.calipers !== null) this.calipers = null;
    else this.calipers = { points: [{ x: 30, y: 24 }, { x: 30 + this.speed * 0.8, y: 24 }], active: 1, march: tool === "march" };
    this.draw();
  }

  private listen(page: Page): void {
    const at = (event: PointerEvent): Point => ({ x: event.offsetX / this.drawnScale(), y: event.offsetY / this.drawnScale() });
    page.canvas.addEventListener("pointerdown", (event) => {
      if (this.calipers === null) return;
      const point = at(event);
      const reach = GRAB_PIXELS / this.drawnScale();
      const far = this.calipers.points.map((handle) => Math.abs(handle.x - point.x));
      const [first = Infinity, second = Infinity] = far;
      if (Math.min(first, second) > reach) this.calipers.points = [{ ...point }, { ...point }];
      this.calipers.active = Math.min(first, second) <= reach && first < second ? 0 : 1;
      this.dragging = true;
      page.canvas.setPointerCapture(event.pointerId);
    });
    page.canvas.addEventListener("pointermove", (event) => {
      if (!this.dragging || this.calipers === null) return;
      this.calipers.points[this.calipers.active] = at(event);
      this.draw();
    });
    page.canvas.addEventListener("pointerup", () => (this.dragging = false));
    page.canvas.addEventListener("pointercancel", () => (this.dragging = false));
    page.canvas.addEventListener("click", (event) => {
      if (this.calipers !== null) return;
      const scale = this.drawnScale();
      const lead = cellAt(this.paperOf(page), event.offsetX / scale, event.offsetY / scale)?.lead ?? null;
      this.zoomed = this.zoomed === null ? lead : null;
      this.draw();
    });
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.calibration.open || this.keys.open) return;
    const onPaper = (event.composedPath()[0] as Element | undefined)?.tagName === "CANVAS";
    if (onPaper && this.moves(event)) return void event.preventDefault();
    const act = this.shortcut(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  private shortcut(key: string): (() => void) | undefined {
    return {
      "1": () => this.change(() => (this.layout = "3x4")),
      "2": () => this.change(() => (this.layout = "6x2")),
      "3": () => this.change(() => (this.layout = "12x1")),
      s: () => this.change(() => (this.speed = next<number>(SPEEDS, this.speed))),
      g: () => this.change(() => (this.gain = next<number>(GAINS, this.gain))),
      f: () => this.change(() => (this.filtered = !this.filtered)),
      b: () => this.change(() => (this.comparison = next(COMPARISONS, this.comparison))),
      c: () => this.useTool("calipers"),
      m: () => this.useTool("march"),
      k: () => this.calibration.showModal(),
      "?": () => this.keys.showModal(),
      Escape: () => this.change(() => (this.chosen = null)),
    }[key];
  }

  private moves(event: KeyboardEvent): boolean {
    const step = event.shiftKey ? 5 : 0.5;
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (this.calipers !== null) {
      const handle = this.calipers.points[this.calipers.active];
      if (event.key === "x") this.calipers.active = this.calipers.active === 0 ? 1 : 0;
      else if (way !== undefined) this.calipers.points[this.calipers.active] = { x: handle.x + (way[0] ?? 0), y: handle.y + (way[1] ?? 0) };
      else return false;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.chosen = ((this.chosen ?? -1) + (event.key === "ArrowDown" ? 1 : 11) + (this.chosen === null && event.key === "ArrowUp" ? 1 : 0)) % 12;
    } else if (event.key === "Enter") {
      this.zoomed = this.zoomed === null ? (this.chosen ?? 1) : null;
    } else return false;
    this.draw();
    return true;
  }
}
