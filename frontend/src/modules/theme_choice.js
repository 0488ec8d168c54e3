// The theme buttons and the rail's width. theme.js applied what was remembered; here it is chosen.
import { recall, remember } from "./storage.js";

const root = document.documentElement;

export function startTheme() {
  showTheme();
  showRail();
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) chooseTheme(choice.dataset.themeChoice);
    if (event.target.closest("[data-rail-toggle]")) toggleRail();
  });
}

function chooseTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  remember("theme", theme === "system" ? null : theme);
  showTheme();
  document.dispatchEvent(new CustomEvent("tollgate:theme"));
}

function showTheme() {
  const chosen = recall("theme") ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  }
}

function toggleRail() {
  const narrow = root.dataset.rail !== "narrow";
  if (narrow) root.dataset.rail = "narrow";
  else delete root.dataset.rail;
  remember("rail", narrow ? "narrow" : null);
  showRail();
}

function showRail() {
  for (const button of document.querySelectorAll("[data-rail-toggle]")) {
    button.setAttribute("aria-expanded", String(root.dataset.rail !== "narrow"));
  }
}
