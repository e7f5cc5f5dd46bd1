# SPDX-License-Identifier: BSD-3-Clause
"""tests/portal/run: the page as people see it, in Chromium: a desktop, a phone, and without script."""
import shutil

import browser
from world import EVIDENCE, PASSWORDS, SESSION, check, vpns


def sign_in_by_hand(b, url, user):
    b.open(url)
    b.type("#nai", user + "@home.test")
    b.type("#password", PASSWORDS[user])
    b.go("button.main")


def test_browser(w, webd):
    url = "https://localhost:%d/" % webd.port
    w.psql(
        "DELETE FROM mipvpn.portal_limits; UPDATE mipvpn.vpns SET required = false WHERE number = 8;"
        "INSERT INTO mipvpn.sessions (nai, home_address, home_agent, ha_session, ha_host, ha_realm, fa_session,"
        " fa_host, fa_realm,"
        " fa_address, expires_at, started_at) VALUES ('frank@home.test', '10.1.0.16', '198.51.100.21', 'h2',"
        " 'ha.home.test', 'home.test',"
        " 'f2', 'fa.visited.test', 'visited.test', '198.51.100.11', now() + interval '1 hour', now() - interval"
        " '17 minutes');"
        "INSERT INTO mipvpn.session_profiles (session, position, number, source, destination, tos_up, tos_down,"
        " security, source_gateway,"
        " destination_gateway, destination_kind, spi_up, spi_down, required)"
        " SELECT s.id, v.number - 6, v.number, '10.1.0.16', v.destination, 0, 0, 1, '198.51.100.11',"
        " '198.51.100.32', 2, 1, 1, true"
        " FROM mipvpn.sessions s, mipvpn.vpns v WHERE v.number IN (6, 7)"
    )
    for name in ("chromium", "chromedriver"):
        if not shutil.which(name):
            check(
                "NO BROWSER: %s is not installed, the page was not looked at (apt-get install chromium chromium-driver)"
                % name,
                False,
            )
            return
    d = browser.Driver(w.dir)
    try:
        desktop(w, d, url)
        phone(w, d, url)
        no_script(w, d, url)
    finally:
        d.close()


def looked_at(b, name):
    bad = b.run(browser.AUDIT)
    check("%s: labels, headings, contrast, sizes, targets" % name, not bad, bad)
    check("%s: screenshot" % name, b.shot(EVIDENCE / (name + ".png")) > 5000)


def desktop(w, d, url):
    b = d.browser(1100, 900)
    b.open(url)
    check("browser: the page is in English and has a title", b.title().startswith("Sign in"), b.title())
    looked_at(b, "1-sign-in")
    b.type("#nai", "frank@home.test")
    b.type("#password", "not this one")
    b.go("button.main")
    check(
        "browser: a wrong password is said, the name kept",
        "User name or password is wrong" in b.text(".fault")
        and b.run("return document.querySelector('#nai').value") == "frank@home.test",
    )
    looked_at(b, "2-wrong-password")
    sign_in_by_hand(b, url, "frank")
    check("browser: frank is in", "Your VPNs" in b.text("h1") and "Registered" in b.text("main"))
    cookies = b.do("GET", "/cookie")
    check(
        "browser: the cookie is HttpOnly, Secure, Strict",
        any(c["name"] == SESSION and c["httpOnly"] and c["secure"] and c["sameSite"] == "Strict" for c in cookies),
        cookies,
    )
    check("browser: no script can read it", b.run("return document.cookie") == "")
    looked_at(b, "3-overview")
    b.run("document.activeElement.blur()")
    b.do(
        "POST",
        "/actions",
        {
            "actions": [
                {
                    "type": "key",
                    "id": "k",
                    "actions": [{"type": "keyDown", "value": "\ue004"}, {"type": "keyUp", "value": "\ue004"}],
                }
            ]
        },
    )
    check(
        "browser: the first tab leads past the header, visibly",
        b.run(
            "const e = document.activeElement, r = e.getBoundingClientRect(); return e.className === 'skip' &&"
            " r.left >= 0 &&"
            " parseFloat(getComputedStyle(e).outlineWidth) >= 2"
        ),
    )
    b.click('input[value="203.0.113.0/24"]')
    b.type("#part", "203.0.113.77")
    b.type("#name", "Print server")
    b.choose("#up-new", "AF21")
    b.choose("#security-new", "AH")
    b.shot(EVIDENCE / "4-choosing.png")
    b.go('form[action="/vpn/add"] button')
    check(
        "browser: a destination is added",
        "The destination was added" in b.text(".good") and "Print server" in b.text("main"),
    )
    check("browser: ... in the database", "203.0.113.77/32|AF21|-|AH" in vpns(w, "frank"), vpns(w, "frank"))
    looked_at(b, "5-added")
    b.click('input[value="203.0.113.0/24"]')
    b.type("#part", "10.77.0.0/24")
    b.go('form[action="/vpn/add"] button')
    check(
        "browser: what is not allowed is said, and leads to the field",
        "None of your contracts" in b.text(".fault")
        and b.run("return document.querySelector('.fault a').hash") == "#part"
        and b.run("return document.querySelector('#part').getAttribute('aria-invalid')") == "true",
    )
    looked_at(b, "6-refused")
    number = w.psql("SELECT number FROM mipvpn.vpns WHERE description = 'Print server'")
    b.open(url)
    b.click("#vpn-%s details:nth-of-type(2) summary" % number)
    b.shot(EVIDENCE / "7-removing.png")
    b.go("#vpn-%s form[action='/vpn/remove'] button" % number)
    check(
        "browser: and removed",
        "The destination was removed" in b.text(".good") and "Print server" not in b.text("main"),
    )
    b.go("form.who button")
    check("browser: signed out", b.text("h1") == "Sign in")
    b.do("POST", "/back", {})
    b.do("POST", "/refresh", {})
    check("browser: going back shows nothing of it", "Your VPNs" not in b.text("body"))
    b.close()


def phone(w, d, url):
    b = d.browser(360, 740, mobile=True)
    b.open(url)
    looked_at(b, "8-phone-sign-in")
    sign_in_by_hand(b, url, "frank")
    looked_at(b, "9-phone-overview")
    w.psql("UPDATE mipvpn.subscribers SET enabled = false WHERE nai = 'frank@home.test'")
    b.open(url)
    looked_at(b, "10-phone-suspended")
    w.psql("UPDATE mipvpn.subscribers SET enabled = true WHERE nai = 'frank@home.test'")
    b.close()


def no_script(w, d, url):
    b = d.browser(800, 900, script=False)
    b.open("data:text/html,<title>none</title><script>document.title='script'</script>")
    check("without script: there is none", b.title() == "none", b.title())
    sign_in_by_hand(b, url, "alice")
    check("without script: alice is in", "Your VPNs" in b.text("h1"))
    b.click("#vpn-1 details:nth-of-type(1) summary")
    b.choose("#down-1", "EF")
    b.go("#vpn-1 form[action='/vpn/change'] button")
    check(
        "without script: she changes quality",
        "Your choice was saved" in b.text(".good") and vpns(w, "alice") == ["10.9.0.0/24|EF|EF|ESP"],
        vpns(w, "alice"),
    )
    b.shot(EVIDENCE / "11-without-script.png")
    b.close()
