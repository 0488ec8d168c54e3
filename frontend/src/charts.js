// The entry of pages with charts. Each [data-chart] names a JSON endpoint; its form is in docs/design.md ("Charts").
import { AriaComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { optionsFor } from "./modules/chart_options.js";
import { fillTable } from "./modules/chart_table.js";

use([AriaComponent, BarChart, CanvasRenderer, GridComponent, LegendComponent, LineChart, MarkAreaComponent, MarkLineComponent, ScatterChart, TooltipComponent]);

const drawn = new Map();

function start() {
  for (const [canvas, chart] of drawn) {
    if (canvas.isConnected) continue;
    chart.instance.dispose();
    drawn.delete(canvas);
  }
  for (const figure of document.querySelectorAll("[data-chart]:not([data-started])")) draw(figure);
}

async function draw(figure) {
  figure.dataset.started = "";
  const canvas = figure.querySelector("[data-chart-canvas]");
  let data;
  try {
    const response = await fetch(figure.dataset.chart, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    data = await response.json();
  } catch {
    canvas.textContent = canvas.dataset.failed ?? "The data could not be loaded. Reload the page to try again.";
    return;
  }
  fillTable(figure.querySelector("[data-chart-table]"), data);
  canvas.replaceChildren();
  delete canvas.dataset.state;
  const instance = init(canvas, null, { renderer: "canvas" });
  instance.setOption(optionsFor(data));
  instance.on("click", ({ data: point }) => point?.url && location.assign(point.url));
  drawn.set(canvas, { instance, data });
  resizing.observe(canvas);
}

const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) drawn.get(target)?.instance.resize();
});

function redraw() {
  for (const { instance, data } of drawn.values()) instance.setOption(optionsFor(data), true);
}

start();
document.addEventListener("htmx:afterSettle", start);
document.addEventListener("tollgate:theme", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
