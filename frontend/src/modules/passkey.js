// allauth tells by an event why a passkey was not used; the page says it in words instead of in the console alone.
export function startPasskeys() {
  document.addEventListener("allauth.error", (event) => {
    const trouble = document.querySelector("[data-passkey-trouble]");
    if (!trouble) return;
    event.preventDefault();
    const name = event.detail.exception?.name;
    const sentences = [...trouble.querySelectorAll("[data-passkey-when]")];
    const told = sentences.find((each) => each.dataset.passkeyWhen === name) ?? sentences.at(-1);
    for (const each of sentences) each.hidden = each !== told;
    trouble.hidden = false;
  });
}
