// A stand-in for DingTalk's JSAPI, for pages opened on an emulated phone.
// `__ddPhone` (set by the line in front of this file) names the phone.
(function (phone) {
  "use strict";
  var state = "idle"; // idle → checking → ready | failed
  var failure = null;
  var waiting = [];
  var errorCallbacks = [];
  var NEEDS_CONFIG = "errorCode 9: dd.config has not been called or failed";

  function api(name, body) {
    var options = body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body)
    };
    return fetch(phone.base + "/phone/dd/" + encodeURIComponent(phone.user) + "/" + name, options)
      .then(function (response) { return response.json(); });
  }

  // Both styles: onSuccess/onFail of the old client and success/fail of the new one; a promise as well.
  function call(options, work) {
    options = options || {};
    return new Promise(function (resolve, reject) {
      function good(result) {
        [options.onSuccess, options.success].forEach(function (f) { if (f) f(result); });
        if (options.complete) options.complete(result);
        resolve(result);
      }
      function bad(code, text) {
        var error = { errorCode: String(code), errorMessage: text, code: code, message: text };
        var heard = [options.onFail, options.fail].filter(Boolean);
        heard.forEach(function (f) { f(error); });
        if (options.complete) options.complete(error);
        if (heard.length) resolve(undefined); else reject(error);
      }
      Promise.resolve(work(good, bad)).catch(function (error) { bad(12, String(error)); });
    });
  }

  function settle(answer) {
    state = answer.ok ? "ready" : "failed";
    failure = answer.ok ? null : { errorCode: answer.errorCode, errorMessage: answer.errorMessage };
    if (failure) errorCallbacks.forEach(function (f) { f(failure); });
    else waiting.splice(0).forEach(function (f) { f(); });
  }

  function config(options) {
    state = "checking";
    var body = Object.assign({}, options, { url: decodeURIComponent(location.href.split("#")[0]) });
    api("check", body).then(settle).catch(function (error) {
      settle({ ok: false, errorCode: "12", errorMessage: String(error) });
    });
  }

  function authCode(options) {
    return call(options, function (good, bad) {
      return api("code", {}).then(function (answer) {
        if (answer.code) good({ code: answer.code }); else bad(3, answer.reason || "no code");
      });
    });
  }

  function position(asText) {
    return function (options) {
      options = options || {};
      return call(options, function (good, bad) {
        if (state !== "ready") { bad(9, NEEDS_CONFIG); return null; }
        return api("device").then(function (device) {
          if (device.permission === "denied") { bad(11, "没有定位权限"); return; }
          if (device.gps === "off" || device.lat === null) { bad(13, "定位失败"); return; }
          // of the wrong type it is not understood: the standard coordinates then, WGS-84
          var place = options.coordinate === (asText ? "1" : 1) ? device.gcj02 : device;
          var found = { longitude: place.lon, latitude: place.lat, accuracy: Number(device.accuracy) };
          if (asText) Object.keys(found).forEach(function (name) { found[name] = String(found[name]); });
          else found.locationType = 1;
          good(found);
        });
      });
    };
  }

  function scan(options) {
    return call(options, function (good, bad) {
      return api("device").then(function (device) {
        if (device.scan_result) good({ text: device.scan_result }); else bad(-1, "用户取消");
      });
    });
  }

  function close(options) {
    return call(options, function (good) {
      good({});
      window.parent.postMessage({ type: "phone.close", user: phone.user }, "*");
    });
  }

  var dd = {
    env: { platform: "android", appType: "H5" },
    version: "7.6.0",
    config: config,
    ready: function (f) {
      // without dd.config the bridge is ready at once; getLocation then refuses
      if (state === "ready" || state === "idle") setTimeout(f, 0); else waiting.push(f);
    },
    error: function (f) { errorCallbacks.push(f); if (failure) setTimeout(function () { f(failure); }, 0); },
    requestAuthCode: authCode,
    getAuthCode: authCode,
    getLocation: position(true),
    scan: scan,
    closePage: close,
    runtime: { permission: { requestAuthCode: authCode } },
    device: { geolocation: { get: position(false) } },
    biz: {
      util: { scan: scan },
      navigation: { close: close, setTitle: function (options) { return call(options, function (good) { good({}); }); } }
    }
  };
  window.dd = dd;
})(window.__ddPhone);
