// Where is this phone? WeCom's bridge, DingTalk's bridge, else the browser itself. All answer through one shape:
// onFix({lat, lon, accuracy, datum}) as often as the device knows better, onProblem(sentence) when it cannot.
"use strict";

const Where = (() => {
  const POLL_MS = 2000;
  const BRIDGE_WAIT_MS = 6000;

  function fromBrowser(onFix, onProblem) {
    if (!navigator.geolocation) {
      onProblem("这个浏览器不能定位,请在下面选区域。");
      return () => {};
    }
    const words = {
      1: "没有定位权限,请在手机设置里允许定位后重试,或在下面选区域。",
      2: "暂时收不到定位信号,请到开阔处重试,或在下面选区域。",
      3: "定位太慢了,请到开阔处重试,或在下面选区域。",
    };
    const watch = navigator.geolocation.watchPosition(
      (p) => onFix({ lat: p.coords.latitude, lon: p.coords.longitude, accuracy: p.coords.accuracy, datum: "wgs84" }),
      (e) => onProblem(words[e.code] || words[2]),
      { enableHighAccuracy: true, maximumAge: 0, timeout: 20000 },
    );
    return () => navigator.geolocation.clearWatch(watch);
  }

  // Asks again and again, because these bridges give one fix a call. One that fails twice running gives way to the
  // browser: a client without the permission may still have a browser with it.
  function polling(ask) {
    return (onFix, onProblem) => {
      let failures = 0;
      let stopped = false;
      let stopBrowser = () => {};
      const again = () => { if (!stopped) setTimeout(next, POLL_MS); };
      function next() {
        if (stopped) return;
        ask(
          (fix) => { if (!stopped) { failures = 0; onFix(fix); again(); } },
          (sentence) => {
            if (stopped) return;
            failures += 1;
            onProblem(sentence);
            if (failures >= 2) stopBrowser = fromBrowser(onFix, onProblem);
            else again();
          },
        );
      }
      next();
      return () => { stopped = true; stopBrowser(); };
    };
  }

  const wecom = polling((ok, fail) => wx.getLocation({
    type: "wgs84",
    success: (r) => ok({ lat: +r.latitude, lon: +r.longitude, accuracy: +r.accuracy, datum: "wgs84" }),
    fail: () => fail("企业微信没有取到位置,请打开手机定位和企业微信的定位权限。"),
    cancel: () => fail("您没有允许定位,请允许后重试,或在下面选区域。"),
  }));

  const dingtalk = polling((ok, fail) => {
    const good = (r) => {
      const p = r.location || r;
      ok({ lat: +p.latitude, lon: +p.longitude, accuracy: +p.accuracy, datum: "gcj02" });
    };
    const bad = () => fail("钉钉没有取到位置,请打开手机定位和钉钉的定位权限。");
    const wish = { targetAccuracy: 10, coordinate: 1, withReGeocode: false, useCache: false };
    if (dd.device && dd.device.geolocation) dd.device.geolocation.get({ ...wish, onSuccess: good, onFail: bad });
    else {
      // this one takes strings: a number is not understood, and the position would be WGS-84 under our gcj02
      const words = { targetAccuracy: String(wish.targetAccuracy), coordinate: String(wish.coordinate) };
      dd.getLocation({ ...wish, ...words, type: 0, success: good, fail: bad, onSuccess: good, onFail: bad });
    }
  });

  // The bridge of this client once it accepts our signature; the browser when it does not, or does not answer.
  async function source(bridge) {
    const plain = fromBrowser;
    try {
      if (!await Bridge.load(bridge, () => window.wx || window.dd)) return plain;
      const url = location.href.split("#")[0];
      const answer = await fetch("/h5/js-config?url=" + encodeURIComponent(url), { headers: { Accept: "application/json" } });
      if (!answer.ok) return plain;
      const { platform, config } = await answer.json();
      if (platform === "wecom" && window.wx && wx.config) return await ready(startWeCom, config) ? wecom : plain;
      if (platform === "dingtalk" && window.dd && dd.config) return await ready(startDingTalk, config) ? dingtalk : plain;
    } catch (error) {
      console.warn("no bridge", error);
    }
    return plain;
  }

  function ready(start, config) {
    return new Promise((resolve) => {
      setTimeout(() => resolve(false), BRIDGE_WAIT_MS);
      start(config, resolve);
    });
  }

  function startWeCom(config, done) {
    const corp = config.config || config;
    const agent = config.agentConfig || config.agent;
    wx.error(() => done(false));
    wx.ready(() => {
      if (agent && wx.agentConfig) wx.agentConfig({ ...agent, success: () => done(true), fail: () => done(true) });
      else done(true);
    });
    wx.config(corp);
  }

  function startDingTalk(config, done) {
    dd.error(() => done(false));
    dd.config(config);
    dd.ready(() => done(true));
  }

  return { source };
})();
