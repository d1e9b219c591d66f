// Opens the picture that the page names in a deep-zoom viewer.
const place = document.getElementById("picture");
const address = new URL(place.dataset.info, document.baseURI).href;

function fail(words) {
  const line = document.createElement("p");
  line.setAttribute("role", "alert");
  line.textContent = `${words.charAt(0).toUpperCase()}${words.slice(1)}.`.replace("..", ".");
  place.replaceChildren(line);
}

// Tiles are asked of the host that gave the page: the document may name another one.
async function source() {
  const answer = await fetch(address);
  const information = await answer.json();
  if (!answer.ok) throw new Error(information.detail ?? "The picture cannot be opened.");
  information.id = address.slice(0, -"/info.json".length);
  return information;
}

// A pixel of the master becomes a pixel of the screen, and starts where one starts.
function pixels(viewport) {
  const size = viewport.getContainerSize();
  viewport.zoomTo(viewport.imageToViewportZoom(1 / devicePixelRatio));
  const middle = viewport.viewportToImageCoordinates(viewport.getCenter());
  const snap = (at, side) => {
    const half = (side * devicePixelRatio) / 2;
    return Math.round(at - half) + half;
  };
  viewport.panTo(
    viewport.imageToViewportCoordinates(snap(middle.x, size.x), snap(middle.y, size.y)),
  );
}

function control(viewer) {
  const viewport = viewer.viewport;
  const acts = {
    closer: () => viewport.zoomBy(2).applyConstraints(),
    further: () => viewport.zoomBy(0.5).applyConstraints(),
    home: () => viewport.goHome(),
    pixels: () => pixels(viewport),
    turn: () => viewport.rotateBy(90),
    wide: () => (document.fullscreenElement ? document.exitFullscreen() : place.requestFullscreen()),
  };
  for (const [id, act] of Object.entries(acts)) {
    const button = document.getElementById(id);
    button.addEventListener("click", act);
    button.disabled = false;
  }
}

// OpenSeadragon adds an inline style sheet of one rule unless it finds it; this one styles nothing, so
// that the policy need not allow inline styles.
function standIn() {
  const sheet = document.createElementNS(null, "style");
  sheet.setAttribute("data-openseadragon-mobile-css", "none");
  document.head.append(sheet);
}

function open(information) {
  standIn();
  const viewer = OpenSeadragon({
    element: place,
    tileSources: [information],
    drawer: "canvas",
    showNavigationControl: false,
    maxZoomPixelRatio: 4,
    visibilityRatio: 0.5,
    animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.8,
  });
  viewer.canvas.setAttribute("role", "application");
  viewer.canvas.setAttribute(
    "aria-label",
    `${place.dataset.name}: arrow keys move, plus and minus zoom, 0 shows the whole, R turns`,
  );
  viewer.addOnceHandler("open", () => control(viewer));
  viewer.addHandler("open-failed", (event) => fail(event.message));
  window.viewer = viewer;
}

source().then(open).catch((error) => fail(error.message));
