// Tables by keyboard: j/k or arrows walk the rows, Enter or o opens, x ticks. And the boxes that tick all rows.
import { isTyping } from "./shortcuts.js";

export function startTables() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", (event) => {
    if (event.target.dataset?.tickAll) tickAll(event.target);
    if (event.target.form?.id) showChosen(event.target.form.id);
  });
  showAllChosen();
  document.addEventListener("htmx:afterSettle", showAllChosen);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const row = event.target.closest?.("[data-table-keys] tbody tr");
  const arrows = row && event.target === row;
  if (event.key === "j" || (arrows && event.key === "ArrowDown")) move(event, row, 1);
  else if (event.key === "k" || (arrows && event.key === "ArrowUp")) move(event, row, -1);
  else if (row && (event.key === "o" || (arrows && event.key === "Enter"))) row.querySelector("a[href]")?.click();
  else if (row && event.key === "x") row.querySelector("input[type=checkbox]")?.click();
}

function move(event, row, by) {
  const rows = [...document.querySelectorAll("[data-table-keys] tbody tr")];
  if (!rows.length) return;
  event.preventDefault();
  const next = rows[row ? rows.indexOf(row) + by : 0];
  if (!next) return;
  next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function boxes(form) {
  return [...document.querySelectorAll(`input[type=checkbox][name=chosen][form="${CSS.escape(form)}"]`)];
}

function tickAll(box) {
  for (const each of boxes(box.dataset.tickAll)) each.checked = box.checked;
  showChosen(box.dataset.tickAll);
}

function showAllChosen() {
  for (const bar of document.querySelectorAll("[data-bulk-bar]")) showChosen(bar.dataset.bulkBar);
}

function showChosen(form) {
  const bar = document.querySelector(`[data-bulk-bar="${CSS.escape(form)}"]`);
  if (!bar) return;
  const all = boxes(form);
  const chosen = all.filter((each) => each.checked).length;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-bulk-count]").textContent = chosen;
  const head = document.querySelector(`[data-tick-all="${CSS.escape(form)}"]`);
  if (!head) return;
  head.checked = chosen > 0 && chosen === all.length;
  head.indeterminate = chosen > 0 && chosen < all.length;
}
