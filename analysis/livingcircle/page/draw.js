"use strict";

// The map: background, communities, facilities, names. Everything is drawn on canvas; no tiles.

const ZOOM_SNAP = 0.5;
const map = L.map("map", { preferCanvas: true, zoomControl: false, zoomSnap: ZOOM_SNAP, maxZoom: 19, minZoom: 7 });
const zoomControl = L.control.zoom({ position: "topright" }).addTo(map);
L.control.scale({ imperial: false, position: "bottomright", maxWidth: 140 }).addTo(map);
map.attributionControl.setPrefix(false).addAttribution("© OpenStreetMap contributors");

const INK = "#1d2b36";
const GREY = "#e3e1dc";
const NAME_ZOOM = 13; // place names and community names appear from here
const DOOR_ZOOM = 15;
const ROAD_ZOOM = [7, 8, 10, 11, 12.5, 13.5, 14.5, 15.5]; // a road of rank r is drawn from this zoom

// Only the communities take the mouse: the panes above let it through.
for (const [pane, level] of [["ground", 300], ["lines", 420], ["marks", 440]]) {
  map.createPane(pane).style.zIndex = level;
  map.getPane(pane).classList.add("unclickable");
}
const canvas = Object.fromEntries(["ground", "lines", "marks"].map((pane) => [pane, L.canvas({ pane, padding: 0.3 })]));
const unitCanvas = L.canvas({ padding: 0.3 });

// -- background ---------------------------------------------------------------------------------------

const GROUND_FILL = { water: "#c9dde6", green: "#dbe6cf" };

function backgroundLayer(group) {
  const still = { interactive: false, smoothFactor: 1.2 };
  if (group.form === "area") {
    return L.polygon(group.shapes.map(area), { ...still, renderer: canvas.ground, stroke: false, fillColor: GROUND_FILL[group.kind], fillOpacity: 1 });
  }
  const water = group.kind === "water";
  const colour = water ? GROUND_FILL.water : group.kind === "rail" ? "#6f7a82" : "#fffdf8";
  return L.polyline(group.shapes.map(path), {
    ...still, renderer: water ? canvas.ground : canvas.lines, color: colour, lineCap: "butt",
    opacity: group.kind === "rail" ? 0.55 : group.kind === "road" && group.rank > 2 ? 0.5 : 0.85, dashArray: group.kind === "rail" ? "6 5" : null,
  });
}

const background = data.background.map((group) => ({ ...group, layer: backgroundLayer(group), ground: group.kind === "water" || group.kind === "green" }));

/** Shows what belongs to the zoom, in the width that belongs to it. */
function drawBackground(state) {
  const zoom = map.getZoom();
  for (const group of background) {
    const early = group.kind === "road" ? ROAD_ZOOM[Math.min(group.rank, 7)] : group.kind === "water" && group.form === "line" ? 10 + group.rank : 0;
    const wanted = state.hidden.has(group.ground ? "ground" : "streets") ? false : zoom >= early;
    if (wanted && group.form === "line") {
      const base = group.kind === "road" ? 3 - 0.4 * Math.min(group.rank, 6) : 1.3;
      group.layer.setStyle({ weight: Math.max(0.6, base * 2 ** ((zoom - 13) / 3)) });
    }
    if (wanted !== map.hasLayer(group.layer)) wanted ? group.layer.addTo(map) : group.layer.remove();
  }
}

// -- communities --------------------------------------------------------------------------------------

/** A fill of stripes (nothing known) or dots (at least this much), made once per colour. */
const pattern = (() => {
  const made = new Map();
  return (kind, colour) => {
    const key = kind + colour;
    if (!made.has(key)) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 10;
      const pen = tile.getContext("2d");
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 10, 10);
      if (kind === "stripes") {
        pen.strokeStyle = "#a9a69f";
        pen.lineWidth = 1.4;
        pen.beginPath();
        for (const shift of [-10, 0, 10]) { pen.moveTo(shift - 1, 11); pen.lineTo(shift + 11, -1); }
        pen.stroke();
      } else {
        pen.fillStyle = "rgba(255,255,255,0.95)";
        pen.strokeStyle = "rgba(29,43,54,0.55)";
        pen.lineWidth = 0.6;
        pen.beginPath();
        pen.arc(5, 5, 1.7, 0, 7);
        pen.fill();
        pen.stroke();
      }
      made.set(key, pen.createPattern(tile, "repeat"));
    }
    return made.get(key);
  };
})();

function fillOf(i, state) {
  const { value, sign } = shownValue(i, state);
  if (sign === "a" || sign === "d") return GREY;
  if (value === null || sign === "n" || sign === "s") return pattern("stripes", GREY);
  const colour = palette(state.measure)[classOf(value, state.measure)];
  return sign === "i" ? pattern("dots", colour) : colour;
}

const outlines = units.shapes.map((shape, i) =>
  L.polygon(area(shape), { renderer: unitCanvas, color: "#5d6a72", weight: 0.7, opacity: 0.75, fillOpacity: 0.82, smoothFactor: 0.6, unit: i }));
const unitLayer = L.featureGroup(outlines).addTo(map);
const cityBounds = unitLayer.getBounds();

function drawUnits(state) {
  outlines.forEach((outline, i) => outline.setStyle({ fillColor: fillOf(i, state) }));
}

let selection = null;

/** Outlines the chosen unit, or the communities of a chosen district. */
function drawSelection(i) {
  selection?.remove();
  selection = null;
  if (i < 0 || i === CITY) return;
  const rings = within(i).flatMap((c) => outlines[c].getLatLngs());
  const weight = isCommunity(i) ? 3.2 : 1.8;
  const style = { pane: "marks", interactive: false, fill: false, smoothFactor: 0.6 };
  selection = L.layerGroup([
    L.polygon(rings, { ...style, renderer: canvas.marks, color: "#fff", weight: weight + 3, opacity: 0.9 }),
    L.polygon(rings, { ...style, renderer: canvas.marks, color: INK, weight }),
  ]).addTo(map);
}

function boundsOf(i) {
  return within(i).reduce((box, c) => box.extend(outlines[c].getBounds()), L.latLngBounds([]));
}

// -- facilities ---------------------------------------------------------------------------------------

const markersOf = new Map(); // service -> markers, made when first shown
const shownServices = new Set();
const doors = L.layerGroup().addTo(map);

function markers(service) {
  if (!markersOf.has(service)) {
    const style = { renderer: canvas.marks, pane: "marks", interactive: false, weight: 1.4, color: "#fff", fillColor: services[service].colour, fillOpacity: 1 };
    markersOf.set(service, L.layerGroup(placesOf[service].map((place) => L.circleMarker(placePoints[place], { ...style, radius: 5 }))));
  }
  return markersOf.get(service);
}

function drawFacilities(state) {
  const wanted = servicesShown(state);
  for (const service of shownServices) if (!wanted.has(service)) { markers(service).remove(); shownServices.delete(service); }
  for (const service of wanted) if (!shownServices.has(service)) { markers(service).addTo(map); shownServices.add(service); }
  const radius = (state.projector ? 1.6 : 1) * Math.min(7, Math.max(2.5, map.getZoom() - 9));
  for (const service of shownServices) markers(service).eachLayer((marker) => marker.setRadius(radius));
  drawDoors();
}

/** The services whose facilities are on the map: those ticked, and those of the coloured rule. */
function servicesShown(state) {
  const wanted = new Set(state.services);
  if (state.follow && state.layer !== "score") {
    for (const id of entryByKey.get(state.layer).rule.services) wanted.add(serviceAt.get(id));
  }
  return wanted;
}

function drawDoors() {
  doors.clearLayers();
  if (map.getZoom() < DOOR_ZOOM) return;
  const view = map.getBounds().pad(0.1);
  for (const service of shownServices) for (const place of placesOf[service]) for (const door of doorsOf[place]) {
    if (!view.contains(doorPoints[door])) continue;
    L.circleMarker(doorPoints[door], { renderer: canvas.marks, pane: "marks", interactive: false, radius: 3, weight: 1.6, color: services[service].colour, fillColor: "#fff", fillOpacity: 1 }).addTo(doors);
  }
}

/** The facility under the pointer, if one is shown there. */
function facilityAt(latlng) {
  const here = map.latLngToLayerPoint(latlng);
  let best = -1, reach = 9;
  for (const service of shownServices) for (const place of placesOf[service]) {
    const away = map.latLngToLayerPoint(placePoints[place]).distanceTo(here);
    if (away < reach) { best = place; reach = away; }
  }
  return best;
}

function facilityCard(place) {
  const service = services[places.service[place]];
  const how = doorsOf[place].reduce((counts, door) => counts.set(places.door_how[door], (counts.get(places.door_how[door]) ?? 0) + 1), new Map());
  const entered = [...how].map(([code, times]) => `${sayOr("how_", places.hows[code])} × ${times}`).join(", ");
  return el("div", { class: "card" },
    el("strong", {}, places.name[place] || say("unnamed")),
    el("dl", {},
      el("dt", {}, say("service")), el("dd", {}, named(service)),
      el("dt", {}, say("source")), el("dd", {}, places.sources[places.source[place]]),
      el("dt", {}, say("entered")), el("dd", {}, entered || say("unknown"))));
}

// -- names ----------------------------------------------------------------------------------------------

const labels = L.layerGroup().addTo(map);
const placeLabels = path(data.places.xy);

/** Names of what is in view, as many as fit without touching each other. */
function drawNames(state) {
  labels.clearLayers();
  if (state.hidden.has("names")) return;
  const view = map.getBounds();
  const taken = [];
  const write = (latlng, text, kind) => {
    const at = map.latLngToContainerPoint(latlng), wide = text.length * (/[^\x00-\x7f]/.test(text) ? 13 : 7.5), half = (state.projector ? 0.75 : 0.5) * wide;
    const box = [at.x - half - 4, at.y - 9, at.x + half + 4, at.y + 9];
    if (taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) return;
    taken.push(box);
    L.marker(latlng, { pane: "marks", interactive: false, keyboard: false, icon: L.divIcon({ className: `label ${kind}`, iconSize: null, html: el("span", {}, text) }) }).addTo(labels);
  };
  if (map.getZoom() >= NAME_ZOOM) {
    for (const i of communities) {
      const box = outlines[i].getBounds();
      if (!view.intersects(box)) continue;
      const a = map.latLngToContainerPoint(box.getSouthWest()), b = map.latLngToContainerPoint(box.getNorthEast());
      if (b.x - a.x > 60 && view.contains(box.getCenter())) write(box.getCenter(), units.name[i], "unit");
    }
  }
  const few = map.getZoom() < NAME_ZOOM ? 8 : data.places.name.length;
  for (let i = 0; i < Math.min(few, data.places.name.length); i++) {
    if (view.contains(placeLabels[i])) write(placeLabels[i], data.places.name[i], data.places.kind[i]);
  }
}
