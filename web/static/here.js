// Signing on the spot: asks for the position until it is good enough, then signs once.
"use strict";

(() => {
  const page = document.getElementById("here");
  const limit = Number(page.dataset.limit);
  const timeOutMs = Number(page.dataset.timeout) * 1000;
  const figure = document.getElementById("figure");
  const words = document.getElementById("words");
  const again = document.getElementById("again");
  const progress = document.getElementById("progress");
  let stop = () => {};
  let timer = 0;
  let best = null;
  let busy = false;

  function show(text, tone, number) {
    words.textContent = text;
    figure.className = "figure " + (tone || "");
    if (number !== undefined) figure.textContent = number;
  }

  function rest(offerAgain) {
    stop();
    clearInterval(timer);
    progress.hidden = true;
    again.hidden = !offerAgain;
  }

  function fix(found) {
    if (busy || !Number.isFinite(found.lat) || !Number.isFinite(found.lon)) return;
    if (Number.isFinite(found.accuracy) && (best === null || found.accuracy < best)) best = found.accuracy;
    const shown = Number.isFinite(found.accuracy) ? `${Math.round(found.accuracy)}米` : "?";
    if (found.accuracy <= limit) {
      show("定位够准,正在签…", "good", shown);
      rest(false);
      send({ lat: found.lat, lon: found.lon, accuracy_m: found.accuracy, datum: found.datum });
    } else {
      show(`误差${shown},要求不超过${limit}米,正在继续定位…`, "near", shown);
    }
  }

  function timedOut() {
    rest(true);
    const got = best === null ? "没有取到位置" : `最好只到${Math.round(best)}米`;
    show(`${got},不够准。请走到开阔处、打开WLAN后重新定位。`, "bad");
  }

  // where.js also speaks for the page that lets people choose an area; here only the position counts
  function here(sentence) {
    return sentence.replace(",或在下面选区域", "").replace("请在下面选区域", "请换手机上的企业微信或钉钉打开");
  }

  async function begin() {
    rest(false);
    best = null;
    show("正在定位,请站着别动…", "", "…");
    const start = await Where.source(page.dataset.bridge);
    const began = Date.now();
    progress.hidden = false;
    timer = setInterval(() => {
      const part = (Date.now() - began) / timeOutMs;
      progress.value = Math.min(100, part * 100);
      if (part >= 1 && !busy) timedOut();
    }, 200);
    stop = start(fix, (sentence) => {
      if (busy || best !== null) return;
      show(here(sentence), "bad", "—");
      again.hidden = false; // what is in the way is set right outside this page, so trying again is the next step
    });
  }

  async function send(body) {
    busy = true;
    try {
      const answer = await fetch(`/h5/permits/${page.dataset.permit}/here`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": page.dataset.csrf },
        body: JSON.stringify(body),
      });
      const told = await answer.json();
      rest(!told.finished);
      show(told.message || told.detail || "没有签上,请重试。", told.finished ? "good" : "bad", told.finished ? "✓" : "!");
    } catch (error) {
      rest(true);
      show("网络不好,没有签上,请重试。", "bad", "!");
    } finally {
      busy = false;
    }
  }

  again.addEventListener("click", begin);
  begin();
})();
