// <echart-view data-src="…">: fetches ECharts options from an address of ours when the chart comes into view.
import { BarChart, LineChart, LinesChart, PieChart, SankeyChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, LinesChart, PieChart, SankeyChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const COLOURS = ["#0f766e", "#1d5fa8", "#b7791f", "#6b7a88", "#7c5cbf", "#c01f2e"];

class EchartView extends HTMLElement {
  private chart: EChartsType | null = null;
  private readonly seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) void this.draw();
  });
  private readonly sized = new ResizeObserver(() => this.chart?.resize());

  connectedCallback(): void {
    this.seen.observe(this);
    this.sized.observe(this);
  }

  disconnectedCallback(): void {
    this.seen.disconnect();
    this.sized.disconnect();
    this.chart?.dispose();
  }

  private async draw(): Promise<void> {
    this.seen.disconnect();
    const answer = await fetch(this.dataset.src ?? "", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const given = (await answer.json()) as EChartsCoreOption;
    this.chart = init(this, undefined, { renderer: "svg" });
    // Tooltips as drawn text: HTML ones carry inline styles, which our content security policy refuses.
    this.chart.setOption({
      color: COLOURS,
      textStyle: { fontFamily: "inherit" },
      grid: { left: 8, right: 8, top: 24, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: { trigger: "axis", renderMode: "richText" },
      aria: { enabled: true },
      ...given,
    });
  }
}

customElements.define("echart-view", EchartView);
