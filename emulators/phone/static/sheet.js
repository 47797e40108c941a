// A sheet that slides up inside one phone.
import { el, icon, keepFocus } from "./dom.js";

/** Opens a sheet on the phone; returns {box, close}. `foot` are the buttons at its end. */
export function sheet(phone, title, children, foot = []) {
  phone.screen.querySelector(".sheet-shade")?.remove();
  const close = () => { shade.remove(); giveBack(); };
  const box = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": title, dataset: { testid: "sheet" } },
    el("div", { class: "sheet-head" }, el("h2", {}, title),
      el("button", { type: "button", class: "bare", "aria-label": "关闭", dataset: { testid: "sheet-close" }, onclick: close }, icon("close", 20))),
    el("div", { class: "sheet-body" }, children), foot.length ? el("div", { class: "sheet-foot" }, foot) : null);
  const shade = el("div", { class: "sheet-shade", onclick: (event) => { if (event.target === shade) close(); } }, box);
  phone.screen.append(shade);
  const giveBack = keepFocus(box, close);
  (box.querySelector("[data-first]") || box.querySelector("button")).focus({ preventScroll: true });
  return { box, close };
}

export function primary(label, testid, onclick) {
  return el("button", { type: "button", class: "primary", dataset: { testid }, onclick }, label);
}
