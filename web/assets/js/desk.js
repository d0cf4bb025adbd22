// Keyboard and the bar of the desk shell.
(function () {
  "use strict";
  var doc = document;
  var root = doc.documentElement;

  function typing() {
    var at = doc.activeElement;
    return at && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at && at.isContentEditable;
  }

  doc.addEventListener("keydown", function (event) {
    var search = doc.getElementById("lt-search");
    if (search && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    if (event.key === "Escape" && location.hash === "#lt-bar") location.hash = "lt-main";
    if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  });

  // j and k walk through the links of the work list; Enter is the link's own.
  function move(by) {
    var links = Array.prototype.slice.call(doc.querySelectorAll("table[data-rows] tbody tr a[data-row]"));
    if (links.length === 0) return;
    var at = links.indexOf(doc.activeElement);
    var next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }
  doc.addEventListener("focusin", function (event) {
    doc.querySelectorAll("tr.lt-at").forEach(function (row) { row.classList.remove("lt-at"); });
    var link = event.target.closest && event.target.closest("a[data-row]");
    if (link) link.closest("tr").classList.add("lt-at");
  });

  var narrow = doc.getElementById("lt-narrow");
  if (narrow) {
    narrow.hidden = false;
    narrow.addEventListener("click", function () {
      var now = root.getAttribute("data-bar") === "narrow" ? "wide" : "narrow";
      root.setAttribute("data-bar", now);
      narrow.setAttribute("aria-pressed", String(now === "narrow"));
      doc.cookie = "lt-bar=" + now + "; path=/; max-age=31536000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
    });
  }

  doc.addEventListener("htmx:sendError", stale);
  doc.addEventListener("htmx:responseError", stale);
  function stale(event) {
    var live = event.target.closest && event.target.closest("[data-live]");
    var note = live && live.parentNode.querySelector(".lt-live-lost");
    if (note) note.hidden = false;
  }
  doc.addEventListener("htmx:afterOnLoad", function (event) {
    var live = event.target.closest && event.target.closest("[data-live]");
    var note = live && event.detail.successful && live.parentNode.querySelector(".lt-live-lost");
    if (note) note.hidden = true;
  });
})();
