// Pages of the product, opened inside the phone with that phone's sign-in.
import { el, icon, keepFocus } from "./dom.js";

/** All phones of this wall share one cookie jar, so the product is asked to sign in afresh as the phone's owner. */
function fresh(phone, url) {
  const address = new URL(url, location.href);
  if (!address.pathname.startsWith("/h5/")) return address.href;
  address.searchParams.set("fresh", "1");
  address.searchParams.set("platform", phone.platform);
  return address.href;
}

/** The address that opens `url` on this phone: it first notes whose phone it is. */
export function signedIn(phone, answer) {
  const url = new URLSearchParams({ url: fresh(phone, answer.url) });
  const user = encodeURIComponent(phone.user);
  const base = phone.world.setup.base;
  if (phone.platform === "dingtalk") return `${base}/phone/dd/${user}/go?${url}`;
  return `${answer.open ? answer.open.split("?")[0] : `${base}/wecom/_phone/${user}/go`}?${url}`;
}

export function openPage(phone, answer) {
  if (!/^https?:/i.test(answer.url)) return phone.say("这个链接在手机上打不开");
  phone.screen.querySelector(".page")?.remove();
  const address = signedIn(phone, answer);
  const close = () => {
    box.remove();
    window.removeEventListener("message", told);
    giveBack();
    phone.world.soon();
  };
  const frame = el("iframe", { src: address, title: "网页", allow: "geolocation; camera; microphone", dataset: { testid: "h5" } });
  const told = (event) => {
    if (event.source === frame.contentWindow && event.data && event.data.type === "phone.close") close();
  };
  window.addEventListener("message", told);
  const host = new URL(answer.url, location.href).host;
  const box = el("div", { class: "page", role: "dialog", "aria-label": "网页" },
    el("div", { class: "page-bar" },
      el("button", { type: "button", "aria-label": "关闭网页", dataset: { testid: "h5-close" }, onclick: close }, icon("close", 20)),
      el("span", {}, host),
      el("a", { href: address, target: "_blank", rel: "noopener", "aria-label": "在新标签页打开", title: "在新标签页打开" }, icon("out", 18))),
    frame);
  phone.screen.append(box);
  const giveBack = keepFocus(box, close);
  return box.querySelector("button").focus({ preventScroll: true });
}
