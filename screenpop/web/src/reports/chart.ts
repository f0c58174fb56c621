/** Charts, drawn by ECharts: loaded when the first one is shown, and only the parts that are used. */
import { BarChart, HeatmapChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, HeatmapChart, LineChart, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);

export interface Series {
  name: string;
  values: number[];
  /** A color of the page: `talking`, `bad`. */
  color: string;
  kind: "bar" | "line";
  /** Bars with the same word stand on each other. */
  stack?: string;
}

export type Picture =
  | { kind: "columns"; labels: string[]; series: Series[]; across?: boolean }
  | { kind: "heat"; columns: string[]; rows: string[]; cells: [column: number, row: number, value: number][] };

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Draw into an element; the answer draws another picture, or ends it. */
export function chartIn(element: HTMLElement): { draw(picture: Picture): void; resize(): void; end(): void } {
  const chart: ECharts = init(element, null, { renderer: "svg" });
  return {
    draw: (picture) => chart.setOption(picture.kind === "heat" ? heat(picture) : columns(picture), true),
    resize: () => chart.resize(),
    end: () => chart.dispose(),
  };
}

type Option = Record<string, unknown>;

function quiet(): Option {
  return {
    animation: false,
    textStyle: { color: color("ink-soft"), fontFamily: "inherit" },
    // Drawn as text, never as HTML: names come from outside.
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: color("surface"),
      borderColor: color("line-strong"),
      textStyle: { color: color("ink") },
    },
  };
}

const axis = (): Option => ({
  axisLine: { lineStyle: { color: color("line-strong") } },
  axisLabel: { color: color("ink-soft"), hideOverlap: true },
  splitLine: { lineStyle: { color: color("line") } },
});

function columns(picture: Extract<Picture, { kind: "columns" }>): Option {
  const base = quiet();
  const labels = { type: "category", data: picture.labels, inverse: picture.across ?? false, ...axis() };
  const values = { type: "value", minInterval: 1, ...axis() };
  return {
    ...base,
    tooltip: { ...(base["tooltip"] as Option), trigger: "axis" },
    legend: picture.series.length > 1 ? { top: 0, textStyle: { color: color("ink") } } : undefined,
    grid: { left: 8, right: 16, top: picture.series.length > 1 ? 32 : 12, bottom: 8, containLabel: true },
    xAxis: picture.across ? values : labels,
    yAxis: picture.across ? labels : values,
    series: picture.series.map((one) => ({
      type: one.kind,
      name: one.name,
      data: one.values,
      stack: one.stack,
      barMaxWidth: 28,
      itemStyle: { color: color(one.color) },
      symbol: "none",
    })),
  };
}

function heat(picture: Extract<Picture, { kind: "heat" }>): Option {
  const most = Math.max(1, ...picture.cells.map((cell) => cell[2]));
  return {
    ...quiet(),
    grid: { left: 8, right: 16, top: 8, bottom: 44, containLabel: true },
    xAxis: { type: "category", data: picture.columns, ...axis() },
    yAxis: { type: "category", data: picture.rows, inverse: true, ...axis() },
    visualMap: {
      min: 0,
      max: most,
      calculable: false,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 120,
      itemWidth: 12,
      textStyle: { color: color("ink-soft") },
      inRange: { color: [color("surface"), color("accent-wash"), color("accent")] },
    },
    series: [{ type: "heatmap", data: picture.cells, itemStyle: { borderColor: color("line"), borderWidth: 1 } }],
  };
}
