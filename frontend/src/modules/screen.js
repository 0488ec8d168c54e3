// Onto paper, and onto the whole screen.
export function startScreen() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
      window.print();
    }
    if (!event.target.closest("[data-fullscreen]")) return;
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
}
