// The plant as a small map: areas, equipment, one pin with its circle of accuracy.
import { el, svg } from "./dom.js";

const PER_DEGREE = 111320;
const SNAP_M = 6;
const KINDS = { tank_farm: "#f3d9a4", furnace: "#f4bdb0", process_unit: "#bcdcc9", pump_house: "#bcd4ea", loading: "#dccdec", utility: "#d6d9dd" };

export class PlantMap {
  /** `at` {lat, lon} in WGS84. Clicking moves the pin exactly there, or onto equipment within 6 m. */
  constructor(setup, { at, accuracy }) {
    this.areas = setup.areas.filter((area) => area.polygon);
    this.equipment = setup.equipment.filter((one) => one.lat !== null);
    const corners = this.areas.flatMap((area) => area.polygon);
    this.lat0 = Math.min(...corners.map((c) => c[1]));
    this.lon0 = Math.min(...corners.map((c) => c[0]));
    this.perLon = PER_DEGREE * Math.cos((this.lat0 * Math.PI) / 180);
    const points = corners.map(([lon, lat]) => this.metres(lat, lon));
    const margin = 24;
    this.width = Math.max(...points.map((p) => p[0])) + 2 * margin;
    this.height = Math.max(...points.map((p) => p[1])) + 2 * margin;
    this.margin = margin;
    this.at = { lat: Number(at.lat), lon: Number(at.lon) };
    this.accuracy = accuracy;
    this.node = this.draw();
    this.move(this.at);
  }

  metres(lat, lon) {
    return [(lon - this.lon0) * this.perLon, (lat - this.lat0) * PER_DEGREE];
  }

  /** Metres → drawing, north up. */
  xy(lat, lon) {
    const [x, y] = this.metres(lat, lon);
    return [x + this.margin, this.height - this.margin - y];
  }

  back(x, y) {
    return {
      lat: Number((this.lat0 + (this.height - this.margin - y) / PER_DEGREE).toFixed(6)),
      lon: Number((this.lon0 + (x - this.margin) / this.perLon).toFixed(6)),
    };
  }

  draw() {
    this.circle = svg("circle", { class: "accuracy" });
    this.pin = svg("path", { class: "map-pin", d: "M0 0s-8-8-8-14a8 8 0 0 1 16 0c0 6-8 14-8 14z" });
    this.text = el("p", { class: "map-text", role: "status" });
    const drawing = svg("svg", {
      viewBox: `0 0 ${this.width} ${this.height}`, class: "plant-map", role: "img", tabindex: "0", "data-testid": "map",
      "aria-label": "厂区图,点一下选位置,方向键微调",
    },
    svg("rect", { width: this.width, height: this.height, class: "ground" }),
    this.areas.map((area) => this.drawArea(area)),
    this.equipment.map((one) => this.drawEquipment(one)), this.circle, this.pin,
    svg("path", { d: `M${this.width - 16} 30V12l-5 8m5-8 5 8`, class: "north" }));
    drawing.addEventListener("click", (event) => this.clicked(drawing, event));
    drawing.addEventListener("keydown", (event) => this.nudged(event));
    return el("div", { class: "map-box" }, drawing, this.text);
  }

  drawArea(area) {
    const corners = area.polygon.map(([lon, lat]) => this.xy(lat, lon));
    const [xs, ys] = [corners.map((c) => c[0]), corners.map((c) => c[1])];
    const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
    const above = !this.crowded(area, middle, Math.min(...ys) - 8);
    return svg("g", {},
      svg("polygon", { points: corners.map((c) => c.join(",")).join(" "), fill: KINDS[area.kind] || "#d6d9dd", class: "area", "data-area": area.code }),
      svg("text", { x: middle, y: above ? Math.min(...ys) - 4 : Math.max(...ys) + 15, class: "area-name" }, area.name));
  }

  /** Would a name here lie on another area? */
  crowded(area, x, y) {
    const there = this.areaAt(x, y - 6);
    return Boolean(there && there !== area);
  }

  drawEquipment(one) {
    const [x, y] = this.xy(one.lat, one.lon);
    const mark = one.kind === "tank" ? svg("circle", { cx: x, cy: y, r: 9, class: "tank" }) : svg("circle", { cx: x, cy: y, r: 2.6, class: "dot" });
    return svg("g", { "data-equipment": one.code }, mark, svg("title", {}, `${one.code} ${one.name}`));
  }

  clicked(drawing, event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    const near = this.nearest(point.x, point.y);
    this.move(near ? { lat: near.lat, lon: near.lon } : this.back(point.x, point.y));
  }

  nudged(event) {
    const step = { ArrowUp: [0, -2], ArrowDown: [0, 2], ArrowLeft: [-2, 0], ArrowRight: [2, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.xy(this.at.lat, this.at.lon);
    this.move(this.back(x + step[0], y + step[1]));
  }

  nearest(x, y, within = SNAP_M) {
    let best = null;
    for (const one of this.equipment) {
      const [ex, ey] = this.xy(one.lat, one.lon);
      const distance = Math.hypot(ex - x, ey - y);
      if (distance <= within && (!best || distance < best.distance)) best = { ...one, distance };
    }
    return best;
  }

  areaAt(x, y) {
    return this.areas.find((area) => {
      let inside = false;
      const corners = area.polygon.map(([lon, lat]) => this.xy(lat, lon));
      for (let i = 0, j = corners.length - 1; i < corners.length; j = i, i += 1) {
        const [[xi, yi], [xj, yj]] = [corners[i], corners[j]];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
      }
      return inside;
    });
  }

  move(at) {
    this.at = at;
    const [x, y] = this.xy(at.lat, at.lon);
    this.pin.setAttribute("transform", `translate(${x} ${y})`);
    this.circle.setAttribute("cx", x);
    this.circle.setAttribute("cy", y);
    this.setAccuracy(this.accuracy);
    this.text.replaceChildren(el("b", {}, this.label()), el("span", {}, `${at.lat.toFixed(6)}, ${at.lon.toFixed(6)}`));
  }

  setAccuracy(metres) {
    this.accuracy = metres;
    this.circle.setAttribute("r", metres);
  }

  label() {
    const [x, y] = this.xy(this.at.lat, this.at.lon);
    const area = this.areaAt(x, y);
    const near = this.nearest(x, y, 3);
    if (near) return `${area ? area.name : "厂区"} ${near.name}`;
    return area ? area.name : "区域外";
  }
}
