// The same numbers as a table, for who cannot or would rather not look at the drawing.
const MOST = 500;

export function fillTable(table, data) {
  if (!table || (table.tHead && !("filled" in table.dataset))) return;
  if (table.closest(".table-wrap")?.contains(document.activeElement)) return; // nothing moves under who reads it
  table.tHead?.remove();
  for (const body of [...table.tBodies]) body.remove();
  table.dataset.filled = "";
  const names = data.series.map((each) => (data.unit ? `${each.name} (${data.unit})` : each.name));
  const rows = new Map();
  data.series.forEach((series, index) => {
    series.points.forEach((point, position) => {
      const [key, value] = pair(point, data.x?.categories?.[position] ?? position);
      if (!rows.has(key)) rows.set(key, []);
      rows.get(key)[index] = value;
    });
  });
  const head = table.createTHead().insertRow();
  for (const name of [data.x?.label || "", ...names]) cell(head, "th", name, "col");
  const body = table.createTBody();
  for (const [key, values] of [...rows].slice(0, MOST)) {
    const row = body.insertRow();
    cell(row, "th", key, "row");
    names.forEach((_, index) => cell(row, "td", values[index] ?? "–"));
  }
}

function pair(point, key) {
  if (Array.isArray(point)) return point;
  if (point !== null && typeof point === "object") return [point.name ? `${point.name}: ${point.x}` : point.x, point.y];
  return [key, point];
}

function cell(row, tag, text, scope) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (scope) element.scope = scope;
  else element.className = "num";
  row.append(element);
}
