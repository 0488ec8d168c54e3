// Pages that read themselves again: every so many seconds one event, which charts and [hx-trigger] listen to. It can be
// paused, is paused at first for who asked for less motion or data, and rests while nobody looks at the page.
import { recall, remember } from "./storage.js";

const KEY = "live";
let timer;

export function startLive() {
  update();
  document.addEventListener("htmx:afterSettle", update);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { requestConfig, target } = event.detail;
    if (requestConfig?.triggeringEvent?.type === "tollgate:refresh" && isInUse(target)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-live-toggle]")) return;
    remember(KEY, isOn() ? "off" : "on");
    if (isOn()) tick();
    update();
  });
}

// Nothing is swapped under who reads it: where the focus is, or where somebody has scrolled to.
function isInUse(target) {
  return target.contains(document.activeElement) || [...target.querySelectorAll(".widget__body, .table-wrap")].some((each) => each.scrollTop > 0 || each.scrollLeft > 0);
}

function isOn() {
  const chosen = recall(KEY);
  if (chosen) return chosen === "on";
  const less = matchMedia("(prefers-reduced-motion: reduce)").matches || matchMedia("(prefers-reduced-data: reduce)").matches;
  return !less && !navigator.connection?.saveData;
}

function update() {
  clearInterval(timer);
  const place = document.querySelector("[data-live]");
  if (!place) return;
  const button = place.querySelector("[data-live-toggle]");
  button.setAttribute("aria-pressed", String(isOn()));
  button.querySelector("[data-live-said]").textContent = isOn() ? button.dataset.on : button.dataset.off;
  if (isOn()) timer = setInterval(() => document.hidden || tick(), Number(place.dataset.live) * 1000);
}

function tick() {
  document.body.dispatchEvent(new CustomEvent("tollgate:refresh", { bubbles: true }));
  const place = document.querySelector("[data-live]");
  const said = place?.querySelector("[data-live-at]");
  if (said) said.textContent = `${place.querySelector("[data-live-toggle]").dataset.asked} ${new Date().toLocaleTimeString()}`;
}
