(function () {
  "use strict";
  var lit = [];
  function light(target) {
    var partner = target && target.closest ? target.closest("[data-eq]") : null;
    lit.forEach(function (element) { element.classList.remove("lit"); });
    lit = partner ? Array.from(document.querySelectorAll('[data-eq="' + partner.dataset.eq + '"]')) : [];
    lit.forEach(function (element) { element.classList.add("lit"); });
  }
  document.addEventListener("pointerover", function (event) { light(event.target); });
  document.addEventListener("focusin", function (event) { light(event.target); });
  document.addEventListener("focusout", function () { light(null); });
  document.documentElement.addEventListener("pointerleave", function () { light(null); });
})();
