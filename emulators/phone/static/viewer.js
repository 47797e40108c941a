// A picture over the whole page.
import { el, icon, keepFocus } from "./dom.js";

export function showPicture(url, title) {
  const close = () => { box.remove(); giveBack(); };
  const box = el("div", { class: "viewer", role: "dialog", "aria-modal": "true", "aria-label": "照片", dataset: { testid: "viewer" }, onclick: close },
    el("img", { src: url, alt: title || "照片" }),
    el("button", { type: "button", class: "viewer-close", "aria-label": "关闭", onclick: close }, icon("close", 26)));
  document.body.append(box);
  const giveBack = keepFocus(box, close);
  box.querySelector("button").focus();
}
