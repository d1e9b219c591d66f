"use strict";
// Copies an info.json address; the links work without this.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const address = new URL(button.dataset.copy, document.baseURI).href;
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = "copied";
    } catch {
      window.prompt("Address of info.json", address);
    }
  });
}
