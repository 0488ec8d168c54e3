// Arranging a dashboard by hand: a widget is dragged by its head, sized by its corner. What the buttons do, and no more.
const COLUMNS = 12;
let held = null;

document.addEventListener("pointerdown", (event) => {
  const corner = event.target.closest?.("[data-corner]");
  const grip = event.target.closest?.("[data-grip]");
  const widget = event.target.closest?.("[data-widget]");
  if (!widget || event.button !== 0 || event.target.closest("a, button")) return;
  if (corner) held = { widget, way: "size", left: widget.getBoundingClientRect().left, width: Number(widget.dataset.width) };
  else if (grip && event.pointerType === "mouse") held = { widget, way: "move", from: order().join() };
  else return;
  event.preventDefault();
  widget.classList.add("is-held");
});

document.addEventListener("pointermove", (event) => {
  if (!held) return;
  if (held.way === "size") size(event);
  else move(event);
});

document.addEventListener("pointerup", drop);
document.addEventListener("pointercancel", drop);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !held) return;
  held = null;
  location.reload();
});

function size(event) {
  const grid = held.widget.parentElement;
  const columns = Math.round(((event.clientX - held.left) / grid.clientWidth) * COLUMNS);
  const width = [3, 4, 6, 8, 12].reduce((best, each) => (Math.abs(each - columns) < Math.abs(best - columns) ? each : best));
  if (width === Number(held.widget.dataset.width)) return;
  held.widget.classList.replace(`widget--${held.widget.dataset.width}`, `widget--${width}`);
  held.widget.dataset.width = width;
}

function move(event) {
  const other = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-widget]");
  if (!other || other === held.widget) return;
  const box = other.getBoundingClientRect();
  const before = event.clientX < box.left + box.width / 2;
  other[before ? "before" : "after"](held.widget);
}

function drop() {
  if (!held) return;
  const { widget, way, from, width } = held;
  held = null;
  widget.classList.remove("is-held");
  if (way === "move" && order().join() !== from) send({ order: order().join() });
  if (way === "size" && Number(widget.dataset.width) !== width) send({ widget: widget.dataset.widget, way: widget.dataset.width });
}

function order() {
  return [...document.querySelectorAll("[data-arrange] [data-widget]")].map((each) => each.dataset.widget);
}

function send(values) {
  const place = document.querySelector("[data-arrange]");
  htmx.ajax("POST", place.dataset.arrange, { target: "#arrange", swap: "outerHTML", values: { revision: place.dataset.revision, ...values } });
}
