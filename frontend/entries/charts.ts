// <echart-view data-src="…">: ECharts options from an address of ours, or from the JSON element "#id" of the page, when the chart
// comes into view. Arrow keys walk from point to point; what a point says is read aloud.
import { BarChart, LineChart, LinesChart, PieChart, SankeyChart, ScatterChart } from "echarts/charts";
import { LabelLayout } from "echarts/features";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LabelLayout, BarChart, LineChart, LinesChart, PieChart, SankeyChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const COLOURS = ["#0f766e", "#1d5fa8", "#b7791f", "#6b7a88", "#7c5cbf", "#c01f2e"];

interface Place {
  series: number;
  index: number;
  at: string;
  words: string;
}

class EchartView extends HTMLElement {
  private chart: EChartsType | null = null;
  private places: Place[] = [];
  private place = -1;
  private readonly spoken = document.createElement("p");
  private readonly beforePrint = (): void => void this.draw();
  private readonly seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) void this.draw();
  });
  private readonly sized = new ResizeObserver(() => this.chart?.resize());

  connectedCallback(): void {
    this.seen.observe(this);
    this.sized.observe(this);
    window.addEventListener("beforeprint", this.beforePrint);
  }

  disconnectedCallback(): void {
    this.seen.disconnect();
    this.sized.disconnect();
    window.removeEventListener("beforeprint", this.beforePrint);
    this.chart?.dispose();
    this.chart = null;
  }

  private async options(): Promise<EChartsCoreOption | null> {
    const source = this.dataset.src ?? "";
    if (source.startsWith("#")) return JSON.parse(document.getElementById(source.slice(1))?.textContent ?? "null") as EChartsCoreOption | null;
    const answer = await fetch(source, { headers: { Accept: "application/json" } });
    return answer.ok ? ((await answer.json()) as EChartsCoreOption) : null;
  }

  private async draw(): Promise<void> {
    this.seen.disconnect();
    if (this.chart) return;
    const given = await this.options();
    if (!given || this.chart) return;
    this.chart = init(this, undefined, { renderer: "svg" });
    // Tooltips as drawn text: HTML ones carry inline styles, which our content security policy refuses.
    this.chart.setOption({
      color: COLOURS,
      // The name of the font itself: widths are measured on a canvas, which does not know "inherit".
      textStyle: { fontFamily: getComputedStyle(this).fontFamily },
      grid: { left: 8, right: 8, top: 24, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: { trigger: "axis", renderMode: "richText" },
      aria: { enabled: true },
      ...given,
    });
    // What leads somewhere: the cases behind a flow.
    this.chart.on("click", ({ data }) => {
      const href = (data as { href?: unknown } | null)?.href;
      if (typeof href === "string" && href.startsWith("/")) location.assign(href);
    });
    this.listenToKeys(given);
  }

  // Points with a name of their own, in the order of time.
  private listenToKeys(given: EChartsCoreOption): void {
    const series = (Array.isArray(given.series) ? given.series : []) as { data?: unknown[] }[];
    this.places = series
      .flatMap((one, number) => (one.data ?? []).map((point, index) => ({ point: point as { name?: string; value?: [string, number] }, series: number, index })))
      .filter(({ point }) => point && typeof point === "object" && typeof point.name === "string" && typeof point.value?.[0] === "string")
      .map(({ point, series: number, index }) => ({ series: number, index, at: point.value![0], words: point.name! }))
      .sort((one, other) => one.at.localeCompare(other.at));
    if (!this.places.length) return;
    this.tabIndex = 0;
    this.setAttribute("role", "application");
    this.spoken.className = "visually-hidden";
    this.spoken.setAttribute("aria-live", "polite");
    this.after(this.spoken);
    this.addEventListener("keydown", (event) => {
      const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, Home: -this.places.length, End: this.places.length };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const from = this.place < 0 ? (step > 0 ? -1 : this.places.length) : this.place;
      this.place = Math.min(Math.max(from + step, 0), this.places.length - 1);
      const chosen = this.places[this.place]!;
      this.chart?.dispatchAction({ type: "showTip", seriesIndex: chosen.series, dataIndex: chosen.index });
      this.spoken.textContent = chosen.words.split("\n").join("，");
    });
    this.addEventListener("blur", () => this.chart?.dispatchAction({ type: "hideTip" }));
  }
}

customElements.define("echart-view", EchartView);
