// The location page: asks until the fix is good enough, shows how good it is, sends it once.
"use strict";

(() => {
  const page = document.getElementById("place");
  const limit = Number(page.dataset.limit);
  const timeOutMs = Number(page.dataset.timeout) * 1000;
  const figure = document.getElementById("figure");
  const words = document.getElementById("words");
  const again = document.getElementById("again");
  const progress = document.getElementById("progress");
  const areas = document.getElementById("areas");
  const form = areas.querySelector("form");
  let draft = page.dataset.draft;
  let tries = 0;
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
    if (Number.isFinite(found.accuracy) && (best === null || found.accuracy < best.accuracy)) best = found;
    const shown = Number.isFinite(found.accuracy) ? `${Math.round(found.accuracy)}米` : "?";
    if (found.accuracy <= limit) {
      show("定位够准,正在发送…", "good", shown);
      rest(false);
      send({ lat: found.lat, lon: found.lon, accuracy_m: found.accuracy, datum: found.datum });
    } else {
      show(`误差${shown},要求不超过${limit}米。请走到开阔处、打开WLAN,正在继续定位…`, "near", shown);
    }
  }

  function timedOut() {
    rest(true);
    const got = best ? `最好只到${Math.round(best.accuracy)}米` : "没有取到位置";
    show(`${got},不够准。请走到开阔处、打开WLAN后重新定位,或在下面选区域。`, "bad");
  }

  async function begin() {
    again.hidden = true;
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
    stop = start(fix, (sentence) => { if (!busy && best === null) show(sentence, "bad", "—"); });
  }

  async function send(body) {
    busy = true;
    const key = `${page.dataset.key}-${tries}`;
    try {
      const answer = await fetch(`/h5/place/${draft}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": page.dataset.csrf },
        body: JSON.stringify({ ...body, key }),
      });
      const told = await answer.json();
      tries += 1; // a repeat after a lost answer carries the same key and counts once
      if (!answer.ok) return failed(told.detail || "没有发送成功,请重试。");
      if (told.draft) draft = String(told.draft);
      form.action = `/h5/place/${draft}`;
      form.key.value = `${page.dataset.key}-${tries}`;
      if (told.finished) return finished(told);
      failed(told.message);
    } catch (error) {
      failed("网络不好,没有发出去,请重试。");
    } finally {
      busy = false;
    }
  }

  function failed(sentence) {
    rest(true);
    show(sentence, "bad", "!");
  }

  function finished(told) {
    rest(false);
    show(told.message, "good", "✓");
    areas.remove();
    page.querySelector("h1").textContent = "位置已收到";
    if (told.number) {
      const link = document.createElement("a");
      link.className = "button big";
      link.href = `/h5/hazards/${encodeURIComponent(told.number)}`;
      link.textContent = `查看 ${told.number}`;
      document.getElementById("dial").after(link);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy || !event.submitter) return;
    rest(false);
    show("正在发送…", "", "…");
    send({ area: event.submitter.value });
  });
  again.addEventListener("click", begin);
  begin();
})();
