// Menus are <details>. Escape and a click outside close them; arrow keys walk their items.
export function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (event.key === "Escape") {
      for (const open of openMenus()) open.open = false;
      menu?.querySelector("summary").focus();
    } else if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      step(menu, event.key === "ArrowDown" ? 1 : -1);
    }
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.("details.menu") || !event.target.open) return;
      for (const other of openMenus()) if (other !== event.target) other.open = false;
    },
    true,
  );
}

function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

function step(menu, by) {
  const items = [...menu.querySelectorAll("summary ~ * :is(a, button)")].filter((item) => item.checkVisibility());
  if (!items.length) return;
  const index = items.indexOf(document.activeElement);
  items[(index + by + items.length) % items.length].focus();
}
