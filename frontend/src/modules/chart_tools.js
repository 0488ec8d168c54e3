// The buttons under a chart: zoom by keyboard as well as by hand, keep the range as an address, keep the drawing.
const STEP = 0.25;

export function zoom(instance, way) {
  const state = instance.getOption().dataZoom?.[0];
  if (!state) return;
  const length = state.end - state.start;
  const moves = {
    in: [state.start + length * STEP, state.end - length * STEP],
    out: [state.start - length / 2, state.end + length / 2],
    back: shifted(state, -length / 2),
    on: shifted(state, length / 2),
    all: [0, 100],
  };
  const [start, end] = moves[way];
  instance.dispatchAction({ type: "dataZoom", start: Math.max(start, 0), end: Math.min(end, 100) });
}

// Not past either end, and no shorter for it.
function shifted({ start, end }, by) {
  const moved = Math.min(Math.max(by, -start), 100 - end);
  return [start + moved, end + moved];
}

// The address of this page with the zoomed range in it.
export function offerRange(link, instance) {
  const state = instance.getOption().dataZoom?.[0];
  if (!link || !state) return;
  link.hidden = state.start <= 0.01 && state.end >= 99.99;
  const address = new URL(location.href);
  address.searchParams.delete("range");
  address.searchParams.set("from", minute(state.startValue));
  address.searchParams.set("to", minute(state.endValue));
  link.href = address.pathname + address.search;
}

export function savePng(figure, instance) {
  const link = document.createElement("a");
  const title = figure.querySelector("figcaption")?.textContent.trim() || "chart";
  link.download = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.png`;
  link.href = instance.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: getComputedStyle(document.body).backgroundColor });
  link.click();
}

function minute(value) {
  return new Date(value).toISOString().slice(0, 16);
}
