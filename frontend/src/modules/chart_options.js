// From the JSON of an endpoint to the options of the chart library. Nothing here fetches or touches the page.
import { colours } from "./chart_colours.js";

const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin"];
const DASHES = ["solid", "dashed", "dotted"];

const MOST_LABELS = 8;

// `narrow`: there is no room for words along the lines; `zoomed`: start and end, in per cent, of what is shown.
export function optionsFor(data, { narrow = false, zoomed } = {}) {
  const look = colours();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const many = data.series.length > 1;
  const series = data.series.map((each, index) => oneSeries(each, index, data, look));
  if (series[0]) Object.assign(series[0], marks(data, look, narrow));
  if (data.kind === "line") series.push(...references(data));
  return {
    animation: !still,
    animationDuration: 140,
    animationDurationUpdate: 140,
    aria: { enabled: true },
    color: look.series,
    textStyle: { fontFamily: look.font, fontSize: 12, color: look.quiet },
    grid: { left: 8, right: narrow ? 12 : 24, top: (many ? 40 : 24) + (data.y?.label && many ? 10 : 0), bottom: (data.x?.label ? 28 : 8) + (data.zoom ? 36 : 0), containLabel: true },
    dataZoom: data.zoom ? [slider(look, zoomed)] : undefined,
    legend: many ? { type: "plain", data: data.series.map(({ name }) => name), top: 0, left: 0, itemWidth: 18, itemHeight: 8, textStyle: { color: look.ink } } : undefined,
    tooltip: tooltip(data, look),
    xAxis: axis(data.x, look, isBars(data) ? "category" : "time"),
    // The name above the axis, where no number is ever so long that it runs into it.
    yAxis: { ...axis(data.y, look, "value", isBars(data)), nameLocation: "end", nameGap: 10, nameTextStyle: { color: look.quiet, align: "left" }, axisLine: { show: false }, splitLine: { lineStyle: { color: look.line } } },
    series,
  };
}

// A slider, and no zoom by wheel or finger on the drawing: that would take the scrolling of the page away.
function slider(look, zoomed) {
  return {
    type: "slider",
    height: 20,
    bottom: 4,
    left: 8,
    right: 24,
    ...zoomed,
    showDetail: false,
    brushSelect: false,
    borderColor: look.line,
    fillerColor: "transparent",
    dataBackground: { lineStyle: { color: look.strong }, areaStyle: { color: look.line } },
    selectedDataBackground: { lineStyle: { color: look.series[0] }, areaStyle: { color: look.series[0], opacity: 0.15 } },
    handleStyle: { color: look.float, borderColor: look.strong },
    moveHandleStyle: { color: look.strong },
  };
}

// richText, not HTML: the library's HTML tooltips carry inline styles, which the Content-Security-Policy refuses.
function tooltip(data, look) {
  const unit = data.unit ? ` ${data.unit}` : "";
  return {
    trigger: data.kind === "scatter" ? "item" : "axis",
    renderMode: "richText",
    confine: true,
    backgroundColor: look.float,
    borderColor: look.strong,
    padding: [8, 12],
    textStyle: { color: look.ink, fontFamily: look.font, fontSize: 12 },
    axisPointer: { lineStyle: { color: look.strong }, shadowStyle: { opacity: 0.06 } },
    valueFormatter: (value) => (value == null ? "–" : `${value}${unit}`),
    formatter: data.kind === "scatter" ? ({ data: point, value }) => `${point.name ?? ""}\n${value.slice(0, 2).join(" · ")}` : undefined,
  };
}

function isBars(data) {
  return data.kind === "bar" || data.kind === "histogram";
}

// Thresholds and bands do not stretch an axis by themselves: a series nobody sees does it for them.
function references(data) {
  const values = [...(data.thresholds ?? []).map(({ value }) => value), ...(data.bands ?? []).filter(({ axis: along }) => along !== "x").flatMap(({ from, to }) => [from, to])];
  const x = data.series[0]?.points[0]?.[0];
  if (!values.length || x === undefined) return [];
  return [{ type: "line", data: values.map((value) => [x, value]), symbol: "none", lineStyle: { width: 0 }, silent: true, tooltip: { show: false } }];
}

function axis(given = {}, look, type, fromZero = false) {
  return {
    type: given.type ?? type,
    name: given.label ?? "",
    nameLocation: "middle",
    nameGap: 26,
    nameTextStyle: { color: look.quiet },
    data: given.categories,
    min: given.min ?? (type === "value" ? undefined : null),
    max: given.max,
    scale: given.min === undefined && given.zero !== true && !fromZero,
    axisLine: { lineStyle: { color: look.strong } },
    axisTick: { show: false },
    axisLabel: { color: look.quiet, fontSize: given.categories ? 11 : 12, hideOverlap: true, interval: given.categories?.length <= 8 ? 0 : "auto" },
    splitLine: { show: false },
  };
}

function oneSeries(given, index, data, look) {
  const hued = data.series.slice(0, index).filter(({ tone }) => !tone).length;
  const colour = given.tone ? look[given.tone] : look.series[hued % look.series.length];
  const points = given.points.map((point) => (Array.isArray(point) || typeof point !== "object" ? point : toPoint(point)));
  const shared = { name: given.name, data: points, itemStyle: { color: colour } };
  if (isBars(data)) {
    const barGap = data.kind === "histogram" ? "-100%" : "10%";
    return { ...shared, type: "bar", barGap, barCategoryGap: data.kind === "histogram" ? "4%" : "35%", stack: given.stack, itemStyle: { color: colour, opacity: data.kind === "histogram" && index ? 0.55 : 0.9, borderRadius: given.stack ? 0 : [2, 2, 0, 0] } };
  }
  if (data.kind === "scatter") {
    return { ...shared, type: "scatter", symbol: SYMBOLS[index % SYMBOLS.length], symbolSize: (value) => value[2] ?? 12, itemStyle: { color: colour, opacity: 0.75, borderColor: look.float, borderWidth: 1 }, cursor: "pointer" };
  }
  return {
    ...shared,
    type: "line",
    showSymbol: points.length < 40,
    symbol: SYMBOLS[index % SYMBOLS.length],
    symbolSize: 5,
    connectNulls: false,
    lineStyle: { color: colour, width: 2, type: DASHES[index % DASHES.length] },
  };
}

function toPoint({ x, y, size, name, url }) {
  return { value: size === undefined ? [x, y] : [x, y, size], name, url };
}

function marks(data, look, narrow) {
  const marked = data.markers ?? [];
  const spans = (data.bands ?? []).filter(({ axis: along }) => along === "x");
  const wordy = !narrow && marked.length + spans.length <= MOST_LABELS;
  const thresholds = (data.thresholds ?? []).map(({ value, label, tone }) => ({
    yAxis: value,
    lineStyle: { color: look[tone ?? "blocked"], type: "dashed", width: 1.5 },
    label: { formatter: label ?? String(value), position: "insideEndTop", color: look.ink, fontSize: 11 },
  }));
  const markers = marked.map(({ at, label, tone }) => ({
    xAxis: at,
    lineStyle: { color: look[tone ?? "neutral"], type: "dotted", width: 1.5 },
    label: { show: wordy, formatter: label ?? "", position: "insideEndTop", color: look.quiet, fontSize: 11 },
  }));
  const bands = (data.bands ?? []).map(({ from, to, label, axis: along, tone }) => [
    { [along === "x" ? "xAxis" : "yAxis"]: from, name: along === "x" && !wordy ? "" : (label ?? ""), label: along === "x" ? { position: "insideTopRight" } : undefined, itemStyle: { color: look[tone ?? "neutral"], opacity: 0.12 } },
    { [along === "x" ? "xAxis" : "yAxis"]: to },
  ]);
  return {
    markLine: thresholds.length + markers.length ? { symbol: "none", silent: true, animation: false, data: [...thresholds, ...markers] } : undefined,
    markArea: bands.length ? { silent: true, animation: false, label: { position: "insideBottomLeft", color: look.quiet, fontSize: 11 }, data: bands } : undefined,
  };
}
