# SPDX-License-Identifier: BSD-3-Clause
"""Headless Chromium through chromedriver, spoken to over WebDriver's HTTP protocol."""
import base64
import http.client
import json
import re
import shutil
import subprocess

from world import die_with_parent, until

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Driver:
    """chromedriver; sessions are browsers of their own."""

    def __init__(self, where):
        self.dir = where
        self.log = where / "chromedriver.log"
        self.n, self.open = 0, []
        with open(self.log, "wb") as out:
            self.p = subprocess.Popen(
                [shutil.which("chromedriver"), "--port=0"],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
        found = until(lambda: re.search(r"successfully on port (\d+)", self.log.read_text()), 20)
        if not found:
            raise RuntimeError("chromedriver did not start: " + self.log.read_text()[-300:])
        self.port = int(found.group(1))

    def call(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        value = json.loads(c.getresponse().read())["value"]
        c.close()
        if isinstance(value, dict) and value.get("error"):
            raise RuntimeError("%s: %s" % (value["error"], value["message"].split("\n")[0]))
        return value

    def browser(self, width, height, script=True, mobile=False):
        self.n += 1
        options = {
            "args": list(FLAGS)
            + ["--window-size=%d,%d" % (width, height), "--user-data-dir=%s/chromium-%d" % (self.dir, self.n)],
            "binary": shutil.which("chromium"),
        }
        if mobile:
            options["mobileEmulation"] = {
                "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0, "mobile": True, "touch": True}
            }
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        made = self.call(
            "POST",
            "/session",
            {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True, "goog:chromeOptions": options}}},
        )
        self.open.append("/session/" + made["sessionId"])
        b = Browser(self, self.open[-1])
        b.do("POST", "/timeouts", {"implicit": 10000})
        return b

    def close(self):
        """Browsers too, those of a test that failed in the middle included."""
        for path in self.open:
            try:
                self.call("DELETE", path)
            except (OSError, RuntimeError):
                pass  # it is gone already
        self.p.terminate()
        self.p.wait(20)


class Browser:
    def __init__(self, driver, path):
        self.driver, self.path = driver, path

    def do(self, method, what, body=None):
        return self.driver.call(method, self.path + what, body)

    def open(self, url):
        self.do("POST", "/url", {"url": url})

    def find(self, css):
        return self.do("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def text(self, css="body"):
        return self.do("GET", "/element/%s/text" % self.find(css))

    def type(self, css, text):
        e = self.find(css)
        self.do("POST", "/element/%s/clear" % e, {})
        self.do("POST", "/element/%s/value" % e, {"text": text})

    def click(self, css):
        self.do("POST", "/element/%s/click" % self.find(css), {})

    def go(self, css):
        """Clicks on what leads to another page, and waits for that page."""
        old = self.find("html")
        self.click(css)
        if not until(lambda: self.is_gone(old), 20):
            raise RuntimeError("no new page after a click on " + css)
        self.find("footer")  # the page's last element; see the implicit wait of browser()

    def is_gone(self, element):
        try:
            self.do("GET", "/element/%s/name" % element)
        except RuntimeError as e:
            return "stale" in str(e) or "no such" in str(e)
        return False

    def choose(self, css, value):
        self.click('%s option[value="%s"]' % (css, value))

    def run(self, script, *args):
        return self.do("POST", "/execute/sync", {"script": script, "args": list(args)})

    def title(self):
        return self.do("GET", "/title")

    def shot(self, path):
        """The whole page, not only what the window shows."""
        got = self.do(
            "POST",
            "/goog/cdp/execute",
            {"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True, "format": "png"}},
        )
        path.write_bytes(base64.b64decode(got["data"]))
        return path.stat().st_size

    def close(self):
        self.do("DELETE", "")
        self.driver.open.remove(self.path)


# What can be measured of a page that everybody is to be able to use; returns what is wrong.
AUDIT = r"""
const bad = [];
const lum = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : Math.pow((x + .055) / 1.055,
2.4); });
	return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const rgb = s => s.match(/[\d.]+/g).map(Number);
const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
	if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
for (const e of document.querySelectorAll('body *')) {
	const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
	if (!own || !e.getClientRects().length) continue;
	const a = lum(rgb(getComputedStyle(e).color).slice(0, 3)), b = lum(back(e));
	const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
	if (ratio < 7) bad.push('contrast ' + ratio.toFixed(1) + ' of ' + e.tagName + ' ' + e.textContent.trim().slice(0, 20));
	if (parseFloat(getComputedStyle(e).fontSize) < 15) bad.push('small print: ' + e.textContent.trim().slice(0, 20));
}
for (const e of document.querySelectorAll('input:not([type=hidden]),select'))
	if (!e.labels || !e.labels.length) bad.push('no label: ' + e.name);
for (const e of document.querySelectorAll('button,select,input[type=text],input[type=password],summary'))
	if (e.getClientRects().length && e.getBoundingClientRect().height < 38) bad.push('small target: ' +
	e.textContent.trim().slice(0, 20));
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
if (new Set(ids).size !== ids.length) bad.push('an id twice');
for (const e of document.querySelectorAll('[aria-describedby],[aria-labelledby]'))
	for (const id of ((e.getAttribute('aria-describedby') || '') + ' ' + (e.getAttribute('aria-labelledby') ||
	'')).split(' '))
		if (id && !document.getElementById(id)) bad.push('points to nothing: ' + id);
for (const a of document.querySelectorAll('a[href^="#"]'))
	if (!document.getElementById(a.hash.slice(1))) bad.push('a link to nothing: ' + a.hash);
let level = 0;
for (const e of document.querySelectorAll('h1,h2,h3')) { const n = +e.tagName[1];
	if (n > level + 1 && !e.closest('.box')) bad.push('a heading is left out before ' + e.textContent);
	if (!e.closest('.box')) level = n; }
if (document.querySelectorAll('h1').length !== 1) bad.push('not one h1');
if (!document.documentElement.lang) bad.push('no language');
if (document.querySelectorAll('script').length) bad.push('a script');
if (document.documentElement.scrollWidth > innerWidth) bad.push('wider than the window: ' +
document.documentElement.scrollWidth);
return bad;
"""
