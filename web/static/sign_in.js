// DingTalk signs in by script (免登): ask the client for a code, hand it to the server, go on.
"use strict";

(() => {
  const page = document.getElementById("sign-in");
  const words = document.getElementById("words");
  const again = document.getElementById("again");

  function fail(text) {
    words.textContent = text;
    again.hidden = false;
  }

  async function send(code) {
    try {
      const answer = await fetch("/h5/sign-in/code", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ code, state: page.dataset.state }),
      });
      const told = await answer.json();
      if (!answer.ok) return fail(told.detail || "登录没有成功,请重试。");
      location.replace(told.next);
    } catch (error) {
      fail("网络不好,登录没有成功,请重试。");
    }
  }

  async function begin() {
    if (!await Bridge.load(page.dataset.bridge, () => Boolean(window.dd))) return fail("请在钉钉里打开这个页面。");
    const ask = {
      corpId: page.dataset.corp,
      clientId: page.dataset.client,
      onSuccess: (r) => send(r.code),
      onFail: () => fail("钉钉没有给出登录码,请重试。"),
    };
    const run = () => {
      if (dd.requestAuthCode) dd.requestAuthCode({ ...ask, success: ask.onSuccess, fail: ask.onFail });
      else if (dd.runtime && dd.runtime.permission) dd.runtime.permission.requestAuthCode(ask);
      else fail("请在钉钉里打开这个页面。");
    };
    if (dd.ready) dd.ready(run); else run();
  }

  again.addEventListener("click", () => location.reload());
  begin();
})();
