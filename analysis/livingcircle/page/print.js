"use strict";

// Paper: an A3 sheet with the map, its title and its legend. The same sheet is shown as a picture (x=1 in the address).

let seenOnScreen = null;

/** For paper the map takes the size of the sheet while it keeps what it shows. */
function preparePaper() {
  if (seenOnScreen) return;
  const view = map.getBounds();
  seenOnScreen = { centre: map.getCenter(), zoom: map.getZoom() };
  map.options.zoomSnap = 0; // fills the sheet
  document.documentElement.classList.add("printing");
  map.invalidateSize({ animate: false, pan: false });
  map.fitBounds(view.contains(cityBounds) ? cityBounds.pad(0.02) : view, { animate: false });
  drawPaper();
}

/** Paints the map once more on one opaque canvas: browsers print a canvas painted just now as sharp lines. */
function drawPaper() {
  document.querySelector(".paper")?.remove();
  const size = map.getSize(), paper = el("canvas", { class: "paper", width: 2 * size.x, height: 2 * size.y }), pen = paper.getContext("2d");
  paper.style.width = `${size.x}px`;
  paper.style.height = `${size.y}px`;
  const corner = map.containerPointToLayerPoint([0, 0]);
  L.DomUtil.setPosition(paper, corner);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.scale(2, 2);
  paintMap(pen, viewOf(corner, size));
  map.getPane("painting").append(paper);
}

function leavePaper() {
  if (!seenOnScreen || state.picture) return;
  document.querySelector(".paper")?.remove();
  map.options.zoomSnap = ZOOM_SNAP;
  document.documentElement.classList.remove("printing");
  map.invalidateSize({ animate: false, pan: false });
  map.setView(seenOnScreen.centre, seenOnScreen.zoom, { animate: false });
  seenOnScreen = null;
}

window.addEventListener("beforeprint", preparePaper);
window.addEventListener("afterprint", leavePaper);
