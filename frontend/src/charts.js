// The entry of pages with charts. Each [data-chart] names a JSON endpoint; its form is in docs/design.md ("Charts").
import { AriaComponent, DataZoomSliderComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { boardPicture, keep } from "./modules/board_picture.js";
import { optionsFor } from "./modules/chart_options.js";
import { fillTable } from "./modules/chart_table.js";
import { offerRange, savePng, zoom } from "./modules/chart_tools.js";

use([AriaComponent, BarChart, CanvasRenderer, DataZoomSliderComponent, GridComponent, LegendComponent, LineChart, MarkAreaComponent, MarkLineComponent, ScatterChart, TooltipComponent]);

const NARROW = 560;
const drawn = new Map();

function start() {
  for (const [canvas, chart] of drawn) {
    if (canvas.isConnected) continue;
    resizing.unobserve(canvas);
    chart.instance.dispose();
    drawn.delete(canvas);
  }
  for (const figure of document.querySelectorAll("[data-chart]:not([data-started])")) draw(figure);
}

async function read(figure) {
  const response = await fetch(figure.dataset.chart, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function draw(figure) {
  figure.dataset.started = "";
  const canvas = figure.querySelector("[data-chart-canvas]");
  let data;
  try {
    data = await read(figure);
  } catch {
    canvas.textContent = canvas.dataset.failed ?? "The data could not be loaded. Reload the page to try again.";
    return;
  }
  fillTable(figure.querySelector("[data-chart-table]"), data);
  canvas.replaceChildren();
  delete canvas.dataset.state;
  const instance = init(canvas, null, { renderer: "canvas" });
  const chart = { instance, data, figure, narrow: isNarrow(canvas) };
  instance.setOption(optionsFor(data, chart));
  instance.on("click", ({ data: point }) => point?.url && location.assign(point.url));
  instance.on("datazoom", () => offerRange(figure.querySelector("[data-chart-range]"), instance));
  drawn.set(canvas, chart);
  resizing.observe(canvas);
}

// In its place: what is zoomed, focused or scrolled to stays so.
async function refresh([canvas, chart]) {
  let data;
  try {
    data = await read(chart.figure);
  } catch {
    return; // the next round tries again, and what is drawn is still true of its time
  }
  if (!canvas.isConnected) return;
  chart.data = data;
  fillTable(chart.figure.querySelector("[data-chart-table]"), data);
  redraw(chart);
}

function isNarrow(canvas) {
  return canvas.clientWidth < NARROW;
}

function redraw(chart) {
  const kept = chart.instance.getOption().dataZoom?.[0];
  chart.instance.setOption(optionsFor(chart.data, { ...chart, zoomed: kept && { start: kept.start, end: kept.end } }), true);
}

const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = drawn.get(target);
    if (!chart) continue;
    chart.instance.resize();
    if (chart.narrow === isNarrow(target)) continue;
    chart.narrow = isNarrow(target);
    redraw(chart);
  }
});

function redrawAll() {
  for (const chart of drawn.values()) redraw(chart);
}

async function picture(button) {
  const { title, failed } = button.dataset;
  const grid = document.querySelector(".widgets");
  const instances = new Map([...drawn].map(([canvas, chart]) => [canvas, chart.instance]));
  button.disabled = true;
  try {
    keep(await boardPicture(grid, instances, { title, lead: grid.dataset.lead }), title);
  } catch {
    button.textContent = failed;
  }
  button.disabled = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-board-png]");
  if (button) return void picture(button);
  const figure = event.target.closest?.("[data-chart]");
  const chart = figure && drawn.get(figure.querySelector("[data-chart-canvas]"));
  if (!chart) return;
  const way = event.target.closest("[data-chart-zoom]")?.dataset.chartZoom;
  if (way) zoom(chart.instance, way);
  else if (event.target.closest("[data-chart-png]")) savePng(figure, chart.instance);
});

start();
document.addEventListener("htmx:afterSettle", start);
document.addEventListener("tollgate:refresh", () => Promise.all([...drawn].map(refresh)));
document.addEventListener("tollgate:theme", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
