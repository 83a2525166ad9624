"use strict";

// The map under Leaflet's control, and one canvas on which the page paints everything itself; no tiles.

const ZOOM_SNAP = 0.5;
const INK = "#1d2b36";
const map = L.map("map", { zoomControl: false, zoomSnap: ZOOM_SNAP, maxZoom: 19, minZoom: 7, preferCanvas: true });
const zoomControl = L.control.zoom({ position: "topright" }).addTo(map);
L.control.scale({ imperial: false, position: "bottomright", maxWidth: 140 }).addTo(map);
map.attributionControl.setPrefix(false).addAttribution("© OpenStreetMap contributors");

const metresPerPixel = (lat) => (40075016.7 * Math.cos((lat * Math.PI) / 180)) / WORLD_SIZE;

/** How the world lies on a canvas whose corner is at a point of Leaflet's layer: x = world x × scale + view.x. */
function viewOf(corner, size, zoom = map.getZoom()) {
  const origin = map.project(geo.latlng(0, 0), zoom).subtract(map.getPixelOrigin()).subtract(corner);
  const scale = 2 ** (zoom - WORLD_ZOOM);
  const box = [-origin.x / scale, -origin.y / scale, (size.x - origin.x) / scale, (size.y - origin.y) / scale];
  return { x: origin.x, y: origin.y, scale, zoom, box, size, factor: document.documentElement.classList.contains("projector") ? 1.5 : 1 };
}

/** The part of the world that is seen on the screen. */
const viewNow = () => viewOf(map.containerPointToLayerPoint([0, 0]), map.getSize());

/** Draws in pixels of the world; line widths are divided by the scale there. */
function inWorld(pen, view, draw) {
  pen.save();
  pen.translate(view.x, view.y);
  pen.scale(view.scale, view.scale);
  draw();
  pen.restore();
}

const Painter = L.Renderer.extend({
  initialize(paint) {
    L.Renderer.prototype.initialize.call(this, { pane: "painting", padding: 0.25 });
    this.paintAll = paint;
  },
  _initContainer() { this._container = document.createElement("canvas"); },
  _destroyContainer() { this._container.remove(); },
  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this.repaint();
  },
  repaint() {
    const size = this._bounds.getSize(), canvas = this._container, dense = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = Math.round(dense * size.x);
    canvas.height = Math.round(dense * size.y);
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    this.paintAll(pen, viewOf(this._bounds.min, size));
  },
});
map.createPane("painting").style.zIndex = 350;
