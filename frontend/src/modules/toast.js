// Toasts leave after a while, unless they are errors or somebody looks at them.
const STAY = 7000;

export function startToasts() {
  for (const toast of document.querySelectorAll("[data-toast]")) leaveLater(toast);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) event.target.closest("[data-toast]").remove();
  });
  document.body.addEventListener("tollgate:toasts", (event) => {
    for (const each of event.detail.toasts) showToast(each.text, each.tone);
  });
}

export function showToast(text, tone = "info") {
  const template = document.getElementById("toast-template");
  const region = document.getElementById("toasts");
  if (!template || !region) return;
  const toast = template.content.querySelector("[data-toast]").cloneNode(true);
  const look = LOOKS[tone] ?? LOOKS.info;
  toast.className = `toast is-${look.tone}`;
  toast.querySelector("[data-toast-text]").textContent = text;
  const use = toast.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${look.icon}`));
  region.append(toast);
  leaveLater(toast);
}

const LOOKS = {
  success: { tone: "met", icon: "check-circle" },
  info: { tone: "info", icon: "info" },
  warning: { tone: "attention", icon: "warning" },
  error: { tone: "blocked", icon: "error" },
};

function leaveLater(toast) {
  if (toast.classList.contains("is-blocked")) return;
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, STAY);
}
