"use strict";
// Opens the picture that the page names in a deep-zoom viewer.
const place = document.getElementById("picture");
const viewer = OpenSeadragon({
  element: place,
  tileSources: [new URL(place.dataset.info, document.baseURI).href],
  drawer: "canvas",
  showNavigationControl: false,
  showNavigator: false,
  maxZoomPixelRatio: 2,
  gestureSettingsMouse: { clickToZoom: true, dblClickToZoom: true },
});
window.viewer = viewer;
const press = (id, act) => document.getElementById(id).addEventListener("click", act);
press("closer", () => viewer.viewport.zoomBy(2).applyConstraints());
press("further", () => viewer.viewport.zoomBy(0.5).applyConstraints());
press("home", () => viewer.viewport.goHome());
press("pixels", () => viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1)));
press("turn", () => viewer.viewport.setRotation(viewer.viewport.getRotation() + 90));
press("wide", () => viewer.setFullScreen(!viewer.isFullPage()));
viewer.addHandler("open-failed", (event) => {
  place.textContent = event.message;
});
