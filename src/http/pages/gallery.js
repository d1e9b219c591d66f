// Copies addresses, filters while one types, and says where a preview is missing. Every page works
// without this.
const said = document.getElementById("said");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const address = new URL(button.dataset.copy, document.baseURI).href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    // Browsers keep the clipboard from pages that are not served by TLS.
    window.prompt("Address of info.json", address);
    return;
  }
  const words = button.textContent;
  button.textContent = "Copied";
  said.textContent = "The address is copied.";
  setTimeout(() => {
    button.textContent = words;
    said.textContent = "";
  }, 2000);
});

function broken(image) {
  image.parentElement.classList.add("broken");
}

function prepare() {
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  for (const image of document.querySelectorAll(".frame img")) {
    image.addEventListener("error", () => broken(image));
    if (image.complete && image.naturalWidth === 0) broken(image);
  }
}
prepare();

const box = document.querySelector("input[name=q]");
let wait;
let asked;

async function filter() {
  asked?.abort();
  asked = new AbortController();
  const address = new URL(box.form.action);
  if (box.value) address.searchParams.set("q", box.value);
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asked.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["count", "collection"]) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    history.replaceState(null, "", address);
    prepare();
  } catch (error) {
    if (error.name !== "AbortError") box.form.submit();
  }
}

box?.addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(filter, 200);
});
