// The little markdown both platforms draw: headings, bold, links, pictures, quotes, lists, font colours. DOM only.
import { el } from "./dom.js";

const INLINE = /!\[([^\]]*)\]\(([^)\s]+)\)|\[([^\]]+)\]\(([^)\s]+)\)|\*\*([^*]+)\*\*|`([^`]+)`|<font color="?([\w#]+)"?>(.*?)<\/font>|<br\s*\/?>/g;
const COLOURS = { info: "#1d8a4e", warning: "#d26a00", comment: "#7d8590", red: "#d93026", green: "#1d8a4e" };
const ESCAPED = /\\([\\`*_{}[\]()#+\-.!<>|~])/g;

function plain(text) {
  return text.replace(ESCAPED, "$1").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");
}

function safe(url) {
  return /^(https?:|\/)/i.test(url) ? url : "";
}

function inline(text, open) {
  const parts = [];
  let from = 0;
  for (const hit of text.matchAll(INLINE)) {
    if (hit.index > from) parts.push(plain(text.slice(from, hit.index)));
    from = hit.index + hit[0].length;
    if (hit[2] !== undefined) parts.push(el("img", { src: safe(hit[2]), alt: hit[1], class: "zoom", loading: "lazy" }));
    else if (hit[4] !== undefined) parts.push(link(hit[3], hit[4], open));
    else if (hit[5] !== undefined) parts.push(el("strong", {}, plain(hit[5])));
    else if (hit[6] !== undefined) parts.push(el("code", {}, hit[6]));
    else if (hit[8] !== undefined) parts.push(el("span", { style: `color:${COLOURS[hit[7]] || hit[7]}` }, plain(hit[8])));
    else parts.push(el("br"));
  }
  parts.push(plain(text.slice(from)));
  return parts;
}

function link(title, url, open) {
  return el("button", { type: "button", class: "link", dataset: { testid: "link", url }, onclick: () => open(url) }, plain(title));
}

/** `open(url)` is called when a link is tapped. */
export function markdown(text, open) {
  const box = el("div", { class: "md" });
  let list = null;
  for (const line of String(text || "").split("\n")) {
    const item = line.match(/^\s*(?:[-*+]|(\d+)[.、])\s+(.*)$/);
    if (item) {
      const kind = item[1] ? "OL" : "UL";
      if (!list || list.tagName !== kind) box.append((list = el(kind.toLowerCase(), {})));
      list.append(el("li", {}, inline(item[2], open)));
      continue;
    }
    list = null;
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    if (heading) box.append(el("p", { class: `h h${heading[1].length}` }, inline(heading[2], open)));
    else if (/^>\s?/.test(line)) box.append(el("blockquote", {}, inline(line.replace(/^>\s?/, ""), open)));
    else if (/^\s*(---+|\*\*\*+)\s*$/.test(line)) box.append(el("hr"));
    else if (line.trim()) box.append(el("p", {}, inline(line, open)));
  }
  return box;
}
