// Building blocks: elements without innerHTML, icons, small helpers.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "class") node.setAttribute("class", value);
    else if (name in node && !(node instanceof SVGElement) && name !== "list" && name !== "style") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

/** el("div", {class: "x", onclick: f}, "text", child …) */
export function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

const PATHS = {
  camera: "M4 8h3l2-3h6l2 3h3v11H4z M12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  pin: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11z M12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  mic: "M12 14.5a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5.5a3 3 0 0 0 3 3z M5.5 11.5a6.5 6.5 0 0 0 13 0 M12 18v3",
  scan: "M4 8V4h4 M16 4h4v4 M20 16v4h-4 M8 20H4v-4 M4 12h16",
  file: "M6 3h8l4 4v14H6z M14 3v4h4",
  open: "M4 5h16v14H4z M4 9h16 M8 14h5",
  plus: "M12 5v14 M5 12h14",
  send: "M4 12 20 4l-4 16-4-6z M12 14l8-10",
  close: "M6 6l12 12 M18 6 6 18",
  out: "M10 5H5v14h14v-5 M14 4h6v6 M20 4l-9 9",
  chevron: "M9 5l7 7-7 7",
  menu: "M5 7h14 M5 12h14 M5 17h14",
  at: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M16 8v5a3 3 0 0 0 5 2 M21 12a9 9 0 1 0-4 7.5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  shield: "M12 3 5 6v5.5c0 4.6 2.9 8 7 9.5 4.1-1.5 7-4.9 7-9.5V6z M9 12l2.2 2.2L15.2 10",
};

export function icon(name, size = 22) {
  const marks = { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" };
  return svg("svg", marks, svg("path", { d: PATHS[name] }));
}

/** A sheet, picker or viewer must give the focus back where it was. */
export function keepFocus(box, close) {
  const before = document.activeElement;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    if (event.key !== "Tab") return;
    const stops = [...box.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']")]
      .filter((node) => !node.disabled && node.offsetParent !== null);
    if (!stops.length) return;
    const [first, last] = [stops[0], stops[stops.length - 1]];
    if (event.shiftKey && document.activeElement === first) { event.preventDefault(); last.focus(); }
    else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first.focus(); }
  });
  return () => { if (before && before.isConnected) before.focus({ preventScroll: true }); };
}

const HUES = ["#3f7fc1", "#c1743f", "#5a9a54", "#8b66b5", "#b9556b", "#3f9a97", "#7d7f3a", "#6a7690"];

export function avatar(name, size = "") {
  let sum = 0;
  for (const sign of name) sum = (sum * 31 + sign.codePointAt(0)) % 997;
  const short = name.length > 2 ? name.slice(-2) : name;
  return el("span", { class: `avatar ${size}`, style: `--hue:${HUES[sum % HUES.length]}`, "aria-hidden": "true" }, short);
}

export function botAvatar() {
  return el("span", { class: "avatar bot", "aria-hidden": "true" }, icon("shield", 22));
}

export function clock(at) {
  return new Date(at * 1000).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
}
