// Loads a platform's own script, and gives up on one that does not come: the page must work without it.
"use strict";

const Bridge = {
  load(src, ready, waitMs = 6000) {
    if (!src || ready()) return Promise.resolve(ready());
    return new Promise((resolve) => {
      const script = document.createElement("script");
      const timer = setTimeout(() => resolve(false), waitMs);
      const done = () => { clearTimeout(timer); resolve(ready()); };
      script.src = src;
      script.onload = done;
      script.onerror = done;
      document.head.append(script);
    });
  },
};
