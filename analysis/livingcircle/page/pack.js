"use strict";

// Numbers and paths as the page's data hold them: letters of 64, five bits each, the sixth says that more follows.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const DIGIT = new Uint8Array(128);
[...ALPHABET].forEach((letter, value) => { DIGIT[letter.charCodeAt(0)] = value; });

const signed = (code) => (code % 2 ? -(code + 1) / 2 : code / 2);

function codes(text) {
  const found = [];
  let value = 0, scale = 1;
  for (let i = 0; i < text.length; i++) {
    const digit = DIGIT[text.charCodeAt(i)];
    value += (digit & 31) * scale;
    if (digit & 32) scale *= 32;
    else { found.push(value); value = 0; scale = 1; }
  }
  return found;
}

const unpack = (text) => codes(text).map(signed);

/** Numbers of which some are not known: those are null. */
function unpackKnown(text, decimals) {
  const unit = 10 ** decimals;
  return codes(text).map((code) => (code === 0 ? null : signed(code - 1) / unit));
}

// -- places in the world ------------------------------------------------------------------------------

// Everything is drawn in Mercator pixels of one zoom, counted from the south-west corner of the data.
const WORLD_ZOOM = 16;
const WORLD_SIZE = 256 * 2 ** WORLD_ZOOM;

const mercatorX = (lon) => WORLD_SIZE * (0.5 + lon / 360);
const mercatorY = (lat) => WORLD_SIZE * (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI));
const worldLat = (y) => (360 / Math.PI) * Math.atan(Math.exp(2 * Math.PI * (0.5 - y / WORLD_SIZE))) - 90;
const worldLon = (x) => 360 * (x / WORLD_SIZE - 0.5);

/** Reads places of a data block; `scale` steps make a degree, counted from `origin`. */
function reader(origin, scale) {
  const x0 = mercatorX(origin[0]), y0 = mercatorY(origin[1]);
  const x = (step) => mercatorX(origin[0] + step / scale) - x0;
  const y = (step) => mercatorY(origin[1] + step / scale) - y0;

  /** One place per pair of steps. */
  function points(text) {
    const steps = unpack(text), found = new Float32Array(steps.length);
    let lon = 0, lat = 0;
    for (let i = 0; i < steps.length; i += 2) {
      lon += steps[i];
      lat += steps[i + 1];
      found[i] = x(lon);
      found[i + 1] = y(lat);
    }
    return found;
  }

  /** The paths of a text, each as x, y, x, y … */
  function paths(text) {
    const steps = unpack(text), found = [];
    let lon = 0, lat = 0;
    for (let at = 0; at < steps.length;) {
      const count = steps[at++], path = new Float32Array(2 * count);
      for (let i = 0; i < 2 * count; i += 2, at += 2) {
        lon += steps[at];
        lat += steps[at + 1];
        path[i] = x(lon);
        path[i + 1] = y(lat);
      }
      found.push(path);
    }
    return found;
  }

  const at = (lon, lat) => [x(lon), y(lat)];
  const latlng = (wx, wy) => L.latLng(worldLat(wy + y0), worldLon(wx + x0));
  const world = (at) => [mercatorX(at.lng) - x0, mercatorY(at.lat) - y0];
  return { points, paths, at, latlng, world };
}

// -- shapes --------------------------------------------------------------------------------------------

const GRAINS = [0, 6, 24]; // pixels of the world that one vertex stands for, from near to far
const grainOf = (zoom) => (zoom > 13 ? 0 : zoom > 11 ? 1 : 2); // never more than a pixel of the screen

/** Paths with their box; drawn from far they keep one vertex per grain, and neighbours keep the same ones. */
class Shape {
  constructor(paths) {
    this.paths = paths;
    this.box = [Infinity, Infinity, -Infinity, -Infinity];
    this.drawn = [];
    for (const path of paths) for (let i = 0; i < path.length; i += 2) this.extend(path[i], path[i + 1]);
  }

  extend(x, y) {
    const box = this.box;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }

  within(box) {
    return this.box[0] < box[2] && box[0] < this.box[2] && this.box[1] < box[3] && box[1] < this.box[3];
  }

  path(grain) {
    this.drawn[grain] ??= this.trace(new Path2D(), GRAINS[grain]);
    return this.drawn[grain];
  }

  trace(pen, grain) {
    for (const path of this.paths) {
      let lastX = NaN, lastY = NaN;
      for (let i = 0; i < path.length; i += 2) {
        const x = grain ? Math.round(path[i] / grain) * grain : path[i];
        const y = grain ? Math.round(path[i + 1] / grain) * grain : path[i + 1];
        if (x === lastX && y === lastY) continue;
        if (i === 0) pen.moveTo(x, y);
        else pen.lineTo(x, y);
        lastX = x;
        lastY = y;
      }
    }
    return pen;
  }
}

const TILE = 4096; // pixels of the world: about 8 km

/** Shapes that hold the paths of one part of the city each, so that only what is in view is drawn. */
function tiled(paths) {
  const tiles = new Map();
  for (const path of paths) {
    const key = `${Math.floor(path[0] / TILE)},${Math.floor(path[1] / TILE)}`;
    if (!tiles.has(key)) tiles.set(key, []);
    tiles.get(key).push(path);
  }
  return [...tiles.values()].map((members) => new Shape(members));
}
