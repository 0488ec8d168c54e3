// What htmx leaves to us: say it when the server refuses or is gone, and keep the focus where it was.
import { showToast } from "./toast.js";

export function startHtmx() {
  document.body.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 401 || (xhr.status === 403 && !xhr.responseText)) return location.reload();
    showToast(reason(xhr), "error");
  });
  document.body.addEventListener("htmx:sendError", () => {
    showToast("The server cannot be reached. Nothing was changed; please try again.", "error");
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.target.matches("[data-filter-bar]")) dropEmpty(event.detail.parameters);
  });
  document.querySelector("[data-autofocus]")?.focus();
  document.body.addEventListener("htmx:afterSettle", (event) => {
    event.target.querySelector?.("[data-autofocus]")?.focus();
  });
}

// An address says only what is filtered. The column menu's empty value has a meaning of its own and stays.
function dropEmpty(parameters) {
  for (const name of Object.keys(parameters)) {
    if (parameters[name] === "" && !name.endsWith("columns")) delete parameters[name];
  }
}

// Problem details carry the reason; the error pages carry it in [data-reason].
function reason(xhr) {
  try {
    const problem = JSON.parse(xhr.responseText);
    if (problem.detail) return problem.detail;
  } catch {
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const text = page.querySelector("[data-reason]")?.textContent.trim();
    if (text) return text;
  }
  return `The server refused (${xhr.status}). Nothing was changed.`;
}
