// A stand-in for WeCom's JS-SDK, for pages opened on an emulated phone.
// `__wecomPhone` (set by the line in front of this file) names the phone and its device settings.
(function (phone) {
  "use strict";
  var readyCallbacks = [];
  var errorCallbacks = [];
  var state = "idle"; // idle → checking → ready | failed
  var failure = null;
  var localFiles = {};
  var nextLocal = 1;

  function api(path, options) {
    return fetch(phone.base + path, options).then(function (response) { return response.json(); });
  }

  function done(options, name, fields) {
    var result = Object.assign({ errMsg: name + ":ok" }, fields || {});
    if (options && options.success) options.success(result);
    if (options && options.complete) options.complete(result);
  }

  function fail(options, name, why) {
    var result = { errMsg: name + ":fail " + why, err_msg: name + ":fail " + why };
    if (options && options.fail) options.fail(result);
    if (options && options.complete) options.complete(result);
  }

  function cancel(options, name) {
    var result = { errMsg: name + ":cancel" };
    if (options && options.cancel) options.cancel(result);
    if (options && options.complete) options.complete(result);
  }

  function check(kind, options) {
    return api("/_phone/jssdk/check", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        kind: kind,
        corpid: options.appId || options.corpid || options.corpId,
        agentid: options.agentid || options.agentId,
        timestamp: String(options.timestamp),
        nonceStr: options.nonceStr,
        signature: options.signature,
        jsApiList: options.jsApiList || [],
        url: location.href.split("#")[0]
      })
    });
  }

  function settle(result) {
    if (result.ok) {
      state = "ready";
      readyCallbacks.splice(0).forEach(function (callback) { callback(); });
    } else {
      state = "failed";
      failure = { errMsg: result.errMsg };
      errorCallbacks.forEach(function (callback) { callback(failure); });
    }
  }

  // The page must have been configured, as on a real phone.
  function guarded(name, work) {
    return function (options) {
      options = options || {};
      if (state !== "ready") { fail(options, name, "the permission value is offline verifying"); return; }
      // The settings may have been changed since the page was opened.
      api("/_phone/" + encodeURIComponent(phone.user) + "/device").then(function (device) {
        work(options, Object.assign({}, device, phone.override || {}));
      }).catch(function (error) { fail(options, name, String(error)); });
    };
  }

  function pickFiles(options) {
    return new Promise(function (resolve) {
      var input = document.createElement("input");
      input.type = "file";
      input.accept = "image/*";
      input.multiple = (options.count || 9) > 1;
      input.style.display = "none";
      input.setAttribute("data-wx", "chooseImage");
      if ((options.sourceType || []).join() === "camera") input.setAttribute("capture", "environment");
      input.addEventListener("change", function () {
        var files = Array.prototype.slice.call(input.files, 0, options.count || 9);
        input.remove();
        resolve(files);
      });
      input.addEventListener("cancel", function () { input.remove(); resolve([]); });
      document.body.appendChild(input);
      input.click();
    });
  }

  function upload(options, name, kind) {
    var file = localFiles[options.localId];
    if (!file) { fail(options, name, "invalid localId"); return; }
    var form = new FormData();
    form.append("file", file, file.name || kind);
    api("/_phone/" + encodeURIComponent(phone.user) + "/upload?kind=" + kind, { method: "POST", body: form })
      .then(function (answer) { done(options, name, { serverId: answer.media_id, mediaUrl: "" }); })
      .catch(function (error) { fail(options, name, String(error)); });
  }

  function keep(file) {
    var localId = "wxLocalResource://" + nextLocal++;
    localFiles[localId] = file;
    return localId;
  }

  var wx = {
    config: function (options) {
      state = "checking";
      check("config", options).then(settle).catch(function (error) { settle({ ok: false, errMsg: String(error) }); });
    },
    agentConfig: function (options) {
      check("agentConfig", options).then(function (result) {
        if (result.ok) done(options, "agentConfig"); else fail(options, "agentConfig", result.errMsg);
      }).catch(function (error) { fail(options, "agentConfig", String(error)); });
    },
    ready: function (callback) { if (state === "ready") setTimeout(callback, 0); else readyCallbacks.push(callback); },
    error: function (callback) { errorCallbacks.push(callback); if (failure) setTimeout(function () { callback(failure); }, 0); },
    checkJsApi: function (options) {
      var found = {};
      (options.jsApiList || []).forEach(function (name) { found[name] = typeof wx[name] === "function"; });
      done(options, "checkJsApi", { checkResult: found });
    },
    getLocation: guarded("getLocation", function (options, device) {
      if (device.permission === "denied") { fail(options, "getLocation", "auth deny"); return; }
      if (device.gps === "off") { fail(options, "getLocation", "gps closed."); return; }
      var place = options.type === "gcj02" ? device.gcj02 : { lat: device.lat, lon: device.lon };
      if (device.lat === null || device.lat === undefined) { fail(options, "getLocation", "location unavailable"); return; }
      done(options, "getLocation", {
        latitude: place.lat, longitude: place.lon, accuracy: Number(device.accuracy), speed: 0
      });
    }),
    scanQRCode: guarded("scanQRCode", function (options, device) {
      if (!device.scan_result) { cancel(options, "scanQRCode"); return; }
      done(options, "scanQRCode", options.needResult ? { resultStr: device.scan_result } : {});
    }),
    chooseImage: guarded("chooseImage", function (options) {
      pickFiles(options).then(function (files) {
        if (!files.length) { cancel(options, "chooseImage"); return; }
        done(options, "chooseImage", { localIds: files.map(keep), sourceType: "album" });
      });
    }),
    getLocalImgData: guarded("getLocalImgData", function (options) {
      var file = localFiles[options.localId];
      if (!file) { fail(options, "getLocalImgData", "invalid localId"); return; }
      var reader = new FileReader();
      reader.onload = function () { done(options, "getLocalImgData", { localData: reader.result }); };
      reader.readAsDataURL(file);
    }),
    uploadImage: guarded("uploadImage", function (options) { upload(options, "uploadImage", "image"); }),
    startRecord: guarded("startRecord", function (options, device) {
      if (device.permission === "denied") fail(options, "startRecord", "auth deny"); else done(options, "startRecord");
    }),
    stopRecord: guarded("stopRecord", function (options) {
      var silence = new Uint8Array([35, 33, 65, 77, 82, 10, 124]);
      done(options, "stopRecord", { localId: keep(new File([silence], "record.amr", { type: "audio/amr" })) });
    }),
    uploadVoice: guarded("uploadVoice", function (options) { upload(options, "uploadVoice", "voice"); }),
    translateVoice: guarded("translateVoice", function (options, device) {
      if (device.translate_result) done(options, "translateVoice", { translateResult: device.translate_result });
      else fail(options, "translateVoice", "no result");
    }),
    previewImage: function (options) { done(options, "previewImage"); },
    hideOptionMenu: function (options) { done(options, "hideOptionMenu"); },
    closeWindow: function (options) {
      done(options, "closeWindow");
      window.parent.postMessage({ type: "phone.close", user: phone.user }, "*");
    }
  };

  // The newer way in: one register call, signatures fetched when they are needed.
  var ww = Object.assign({}, wx, {
    register: function (options) {
      state = "checking";
      Promise.resolve(options.getConfigSignature ? options.getConfigSignature(location.href.split("#")[0]) : null)
        .then(function (signed) { return check("config", Object.assign({}, options, signed || {})); })
        .then(function (result) {
          settle(result);
          if (!result.ok || !options.getAgentConfigSignature) return null;
          return Promise.resolve(options.getAgentConfigSignature(location.href.split("#")[0])).then(function (signed) {
            return check("agentConfig", Object.assign({}, options, signed));
          }).then(function (answer) {
            if (answer.ok && options.onAgentConfigSuccess) options.onAgentConfigSuccess(answer);
            if (!answer.ok && options.onAgentConfigFail) options.onAgentConfigFail(answer);
          });
        })
        .catch(function (error) { settle({ ok: false, errMsg: String(error) }); });
    }
  });

  window.wx = window.jWeixin = wx;
  window.ww = ww;
})(window.__wecomPhone);
