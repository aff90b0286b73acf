// Copy, hide, search by `/`, live rows. Everything else works without a script.
"use strict";

document.documentElement.classList.add("js");

const say = (text) => {
  const region = document.getElementById("said");
  if (region) region.textContent = text;
};

// The value of a copy button: its own, or the text of another element.
const valueOf = (button) => {
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  return source ? source.textContent : button.dataset.copy ?? "";
};

const copied = (button, done) => {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  say(done ? "Copied." : "The browser does not allow copying; select the text and copy it.");
  setTimeout(() => { button.textContent = before; }, 2000);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches("[data-copy], [data-copy-from]")) {
    navigator.clipboard.writeText(valueOf(button)).then(() => copied(button, true), () => copied(button, false));
  }
  if (button.dataset.hide) {
    const hidden = document.querySelector(button.dataset.hide);
    if (hidden) hidden.replaceChildren();
    say("Hidden.");
  }
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("q");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// Copies a secret that the page does not hold: the answer to the form goes to the clipboard and nowhere else.
const fetched = async (form) => {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/plain" } });
  const text = await answer.text();
  if (answer.ok) return text;
  const plain = answer.headers.get("content-type")?.startsWith("text/plain");
  throw new Error(plain ? text.split("\n")[0] : `The dashboard answered ${answer.status}; load the page again.`);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-copy-secret]")) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  const text = fetched(form);
  // A browser that waits for a promise keeps the permission that the click gave.
  const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
  const waits = typeof ClipboardItem === "function";
  const done = waits
    ? navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })])
    : text.then((value) => navigator.clipboard.writeText(value));
  Promise.all([text, done]).then(() => copied(button, true), (error) => {
    text.then(() => copied(button, false), () => say(error.message));
  });
});

// What a page holds of secrets goes when the page is left, or hidden for a minute: Back would show it again.
const conceal = () => {
  for (const shown of document.querySelectorAll("[data-secret]")) shown.replaceChildren();
};
let hiding = 0;
addEventListener("pagehide", conceal);
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(conceal, 60_000);
});

const list = document.getElementById("clients");
const broken = document.getElementById("broken");

if (list) {
  // Announces how many clients a search left.
  document.addEventListener("htmx:afterSwap", (event) => {
    const summary = event.target === list && document.getElementById("summary");
    if (summary && event.detail.requestConfig.elt.id === "filters") say(summary.textContent);
  });
}

if (list && list.dataset.live) {
  let events = null;
  let again = 0;

  const works = (yes) => { broken.hidden = yes; };

  // Reads the rows of this address again; on failure the old ones stay, with the banner.
  const refresh = () => {
    const active = document.activeElement?.id;
    htmx.ajax("GET", location.pathname + location.search, { source: list, target: list }).then(() => {
      if (active) document.getElementById(active)?.focus({ preventScroll: true });
    }, () => {});
  };

  const failed = () => {
    works(false);
    clearTimeout(again);
    again = setTimeout(() => {
      if (!events && !document.hidden) open();
      refresh();
    }, 3000);
  };

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt } = event.detail.requestConfig;
    // While the cluster is away, a search keeps the rows as well.
    if (elt !== list && (elt.id !== "filters" || event.detail.xhr.status < 500)) return;
    const good = event.detail.xhr.status === 200;
    event.detail.shouldSwap = good;
    if (good) works(true); else failed();
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.requestConfig.elt === list) failed();
  });

  const open = () => {
    events = new EventSource(list.dataset.live);
    events.addEventListener("open", () => { if (!broken.hidden) refresh(); });
    events.addEventListener("rows", refresh);
    // Other windows have all the streams there are.
    events.addEventListener("busy", () => {
      close();
      setTimeout(() => {
        if (events || document.hidden) return;
        open();
        refresh();
      }, 5000);
    });
    // The sign-in has ended: loading the page renews it.
    events.addEventListener("renew", () => location.reload());
    events.addEventListener("gone", () => location.assign("/signed-out"));
    events.addEventListener("error", () => {
      works(false);
      if (events?.readyState !== EventSource.CLOSED) return;
      // The browser gives up, such as while the dashboard restarts.
      close();
      failed();
    });
  };
  const close = () => {
    events?.close();
    events = null;
  };

  // A hidden tab has no stream: browsers allow few connections to one server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
    } else if (!events) {
      open();
      refresh();
    }
  });
  addEventListener("pagehide", close);
  if (!document.hidden) open();
}
