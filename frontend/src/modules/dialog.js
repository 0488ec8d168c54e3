// Dialogs: a link or button with data-dialog opens the <dialog> of that id; without it the link leads to a page.
export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      dialog.showModal();
    }
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog").close();
    if (event.target.matches?.("dialog.dialog")) event.target.close(); // the backdrop belongs to the dialog itself
  });
  for (const dialog of document.querySelectorAll("dialog.dialog:has(.field--error)")) dialog.showModal();
}
