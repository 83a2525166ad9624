"use strict";

// The background: water, green, roads and railways of the OpenStreetMap extract, and the names of waters and greens.

const GROUND_FILL = { water: "#c9dde6", green: "#dbe6cf" };
const ROAD_ZOOM = [7, 8, 10, 11, 12.5, 13.5, 14.5, 15.5]; // a road of rank r is drawn from this zoom

const background = data.background.map((group) => ({ ...group, below: group.kind === "water" || group.kind === "green", tiles: null }));
const backgroundNames = { ...data.places, xy: geo.points(data.places.xy) };

/** From which zoom a group is drawn: large roads and waters first. */
function appearsAt(group) {
  if (group.kind === "road") return ROAD_ZOOM[Math.min(group.rank, 7)];
  return group.kind === "water" && group.form === "line" ? 10 + group.rank : 0;
}

const groupShown = (group, zoom, state) => !state.hidden.has(group.below ? "ground" : "streets") && zoom >= appearsAt(group);

/** The look of a line: colour, pixels, opacity, dashes. */
function lineStyle(group, zoom) {
  const base = group.kind === "road" ? 3 - 0.4 * Math.min(group.rank, 6) : 1.3;
  const width = Math.max(0.6, base * 2 ** ((zoom - 13) / 3));
  if (group.kind === "water") return [GROUND_FILL.water, width, 0.85, []];
  if (group.kind === "rail") return ["#6f7a82", width, 0.55, [6, 5]];
  return ["#fffdf8", width, group.rank > 2 ? 0.5 : 0.85, []];
}

/** Paints what lies below the communities, or what crosses above them. */
function paintBackground(pen, view, state, below) {
  inWorld(pen, view, () => {
    for (const group of background) {
      if (group.below !== below || !groupShown(group, view.zoom, state)) continue;
      group.tiles ??= tiled(geo.paths(group.paths));
      const [colour, width, opacity, dash] = lineStyle(group, view.zoom);
      pen.globalAlpha = group.form === "area" ? 1 : opacity;
      pen.fillStyle = GROUND_FILL[group.kind] ?? colour;
      pen.strokeStyle = colour;
      pen.lineWidth = width / view.scale;
      pen.setLineDash(dash.map((part) => part / view.scale));
      for (const tile of group.tiles) {
        if (!tile.within(view.box)) continue;
        if (group.form === "area") pen.fill(tile.path(grainOf(view.zoom)));
        else pen.stroke(tile.path(grainOf(view.zoom)));
      }
    }
  });
}
