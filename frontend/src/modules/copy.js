// Copy buttons: the text goes to the clipboard and the button says so for a moment.
export function startCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return; // No permission: the text stays visible and selectable.
    }
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    button.dataset.done = "";
    use.setAttribute("href", before.replace("#copy", "#check"));
    setTimeout(() => {
      delete button.dataset.done;
      use.setAttribute("href", before.replace("#check", "#copy"));
    }, 1500);
  });
}
