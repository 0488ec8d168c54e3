// Runs before the first paint, so that nobody sees the wrong theme or a rail that jumps.
(function () {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("tollgate.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("tollgate.rail") === "narrow") root.dataset.rail = "narrow";
  } catch {
    // Storage may be forbidden: then the system's theme and the wide rail it is.
  }
})();
