// Line numbers beside a text area, and links that lead to a line of it.
export function startEditors() {
  document.querySelectorAll("[data-editor] textarea").forEach(number);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-editor-line]");
    if (!link) return;
    const area = document.querySelector("[data-editor] textarea");
    if (!area) return;
    event.preventDefault();
    goTo(area, Number(link.dataset.editorLine), Number(link.dataset.editorColumn || 1));
  });
}

function number(area) {
  const gutter = document.createElement("div");
  gutter.className = "editor__lines";
  gutter.setAttribute("aria-hidden", "true");
  area.before(gutter);
  area.setAttribute("wrap", "off");
  let shown = 0;
  const draw = () => {
    const count = area.value.split("\n").length;
    if (count !== shown) {
      gutter.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
      shown = count;
    }
    gutter.scrollTop = area.scrollTop;
  };
  area.addEventListener("input", draw);
  area.addEventListener("scroll", () => {
    gutter.scrollTop = area.scrollTop;
  });
  area.addEventListener("keydown", (event) => {
    // Tab leaves the field, as everywhere; Ctrl-S sends the form.
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      area.form.requestSubmit();
    }
  });
  draw();
}

function goTo(area, line, column) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const text = lines[line - 1] || "";
  area.focus();
  area.setSelectionRange(start + Math.min(column - 1, text.length), start + text.length);
  const height = area.scrollHeight / lines.length;
  area.scrollTop = Math.max(0, (line - 6) * height);
}
